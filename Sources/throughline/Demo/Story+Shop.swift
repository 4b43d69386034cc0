import Foundation

/// Act 2: the customer returns something at the counter. The till knows their card: mail address
/// and phone number.
extension Story {
  func returnsSomething() throws {
    tell.act(2, "Later, \(customer) returns something in the shop")
    _ = try stage.shop.done(
      "POST", "/v1/journey",
      [
        "event": "returned", "detail": ["item": "psrew 410", "quantity": 1, "at": "counter"],
        "identities": [
          ["kind": "email", "value": mail, "assurance": "asserted"],
          ["kind": "phone", "value": phone, "assurance": "asserted"],
        ],
      ])
    proof.expect("journey", "shop", "system")
    tell.says("shop", "till", "returned: 1 psrew 410, at the counter", .business)
    tell.happens("the till knows \(mail) and \(phone): both are \(customer) from now on")
  }
}
