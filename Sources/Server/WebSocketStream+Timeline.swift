import Model
import Records
import Service
import Sockets
import WebCodec

/// Following a customer's timeline: everything that is said and done, on whatever channel, as it
/// becomes durable.
extension WebSocketStream {
  struct Followed {
    var follow: TimelineFollow
    var isLooking = false
    var mustLook = true
  }

  func follow(_ customer: CustomerID, _ after: EntryID, _ connection: Connection) {
    guard let scope = caller?.scope, [.agent, .supervisor, .admin].contains(scope) else {
      return send(
        error: .forbidden("to follow a customer needs a token of scope agent, supervisor or admin"),
        connection)
    }
    guard followed.count < Limit.followed || followed[customer] != nil else {
      return send(
        error: APIProblem(
          429, "too-many-subscriptions", "Too many subscriptions", "open another stream"),
        connection)
    }
    unfollow(customer, connection)
    followed[customer] = Followed(follow: TimelineFollow(customer: customer, after: after))
    followOn(connection)
  }

  func unfollow(_ customer: CustomerID, _ connection: Connection) {
    guard let gone = followed.removeValue(forKey: customer) else { return }
    // Another one that is followed may be of the same person.
    let kept = Set(followed.values.flatMap { $0.follow.members ?? [] })
    edge.hub.unfollow(
      (gone.follow.members ?? [customer]).filter { !kept.contains($0) }, connection.ref)
  }

  func timelineMoved(_ record: CustomerID, _ connection: Connection) {
    for customer in followed.keys.sorted()
    where customer == record || followed[customer]?.follow.members?.contains(record) ?? true {
      followed[customer]?.mustLook = true
    }
    followOn(connection)
  }

  /// Looks at whatever has moved, one look a customer at a time, and none while the client does not
  /// read.
  func followOn(_ connection: Connection) {
    guard let caller, !isBackedUp else { return }
    for customer in followed.keys.sorted() {
      guard var one = followed[customer], one.mustLook, !one.isLooking else { continue }
      one.mustLook = false
      one.isLooking = true
      followed[customer] = one
      let (edge, ref, follow) = (edge, connection.ref, one.follow)
      // Before the look, so that nothing falls between them.
      edge.hub.follow(follow.members ?? [customer], ref)
      edge.reads.run { reads in
        do throws(StoreFault) {
          let look = try follow.look(caller.workspace, limit: 200, reads)
          if look?.isEmpty == true,
            let problem = try APIProblem.ahead(follow.after, caller.workspace, reads)
          {
            return edge.hub.post(ref, .followed(customer, nil, problem))
          }
          // Who begins to follow reads; what comes later they are there for.
          if look != nil, follow.members == nil {
            edge.api(caller.workspace)?.record(.timeline, by: caller, of: [follow.customer])
          }
          edge.hub.post(ref, .followed(customer, look))
        } catch {
          edge.health.tell("reading for a stream", error)
          edge.hub.post(ref, .followed(customer, nil, APIProblem(error)))
        }
      }
    }
  }

  func followedOn(
    _ customer: CustomerID, _ look: TimelineFollow.Look?, _ problem: APIProblem?,
    _ connection: Connection
  ) {
    guard var one = followed[customer] else { return }
    guard let look else {
      unfollow(customer, connection)
      return send(error: problem ?? .notFound("customer"), connection)
    }
    // What a record that was not followed yet got since the look is found by looking once more.
    let isNew = Set(look.follow.members ?? []) != Set(one.follow.members ?? [])
    edge.hub.follow(look.follow.members ?? [], connection.ref)
    one.follow = look.follow
    one.isLooking = false
    one.mustLook = one.mustLook || look.hasMore || isNew
    followed[customer] = one
    if !look.isEmpty {
      send(Array("{\"type\":\"timeline\",".utf8) + look.json + Array("}".utf8), connection)
    }
    followOn(connection)
  }
}
