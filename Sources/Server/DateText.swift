import Model
import System
import WebCodec

/// The `Date` field's text, made once a second by the lane that needs it (RFC 9110 §6.6.1).
final class DateText {
  /// When the second that it tells is over, by the lane's monotonic clock: between two seconds the
  /// clock on the wall is not asked.
  private var endMilliseconds = Int64.min
  private var text = HeaderValue(fixed: "Thu, 01 Jan 1970 00:00:00 GMT")

  /// - Parameter now: the lane's monotonic clock, in milliseconds.
  func text(at now: Int64) -> HeaderValue {
    if now >= endMilliseconds {
      let (second, rest) = WallClock.nowMilliseconds.quotientAndRemainder(dividingBy: 1_000)
      text = HeaderValue(Self.imfFixdate(second)) ?? text
      endMilliseconds = now + 1_000 - rest
    }
    return text
  }

  /// RFC 9110 §5.6.7.
  static func imfFixdate(_ seconds: Int64) -> String {
    let iso = Instant(milliseconds: seconds * 1_000).description
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let month = (Int(iso.dropFirst(5).prefix(2)) ?? 1) - 1
    let weekday = days[Int((seconds / 86_400) % 7)]
    return
      "\(weekday), \(iso.dropFirst(8).prefix(2)) \(months[month]) \(iso.prefix(4)) \(iso.dropFirst(11).prefix(8)) GMT"
  }
}
