import Model
import System
import WebCodec

/// The `Date` field's text, made once a second by the lane that needs it (RFC 9110 §6.6.1).
final class DateText {
  private var second: Int64 = -1
  private var text = HeaderValue(fixed: "Thu, 01 Jan 1970 00:00:00 GMT")

  var now: HeaderValue {
    let current = WallClock.nowMilliseconds / 1_000
    if current != second {
      second = current
      text = HeaderValue(Self.imfFixdate(current)) ?? text
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
