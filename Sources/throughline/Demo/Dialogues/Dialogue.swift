// Customers' words, as real people typed them, from the MultiDoGO dialogues: Peskov et al.,
// "Multi-Domain Goal-Oriented Dialogues (MultiDoGO): Strategies toward Curating and Annotating
// Large Scale Dialogue Data", EMNLP 2019, turn-level test split. Licence: CDLA-Permissive 1.0,
// whose text stands in Licence.swift beside this file.
//
// Each turn is verbatim, under its number in the original; the numbers between are the business's
// turns, which the
// data set does not hold. Turns that give passwords, addresses or card numbers were left out.

/// What one customer said, turn by turn.
struct Dialogue: Sendable {
  struct Turn: Sendable {
    let number: Int
    let text: String
    init(_ number: Int, _ text: String) {
      self.number = number
      self.text = text
    }
  }

  /// The conversation's id in MultiDoGO.
  let origin: String
  let domain: String
  let turns: [Turn]

  var words: [String] { turns.map(\.text) }
}

extension Dialogue {
  /// Sets up an order: the chat of the first act.
  static let order = Dialogue(
    origin: "5c9b571b-23ae-4cff-87f0-d685d697f9d7", domain: "software",
    turns: [
      .init(0, "hi"),
      .init(2, "i wand to setup order for musical equipmend"),
      .init(4, "my name is mani and mani 458"),
      .init(6, "i need 20 qty and brand name is portable keyboards"),
      .init(8, "model no is psrew 410"),
      .init(10, "ok"),
      .init(12, "no need thanks for your help"),
      .init(14, "nothing else"),
    ])

  /// Was charged twice: the mail of the third act.
  static let bill = Dialogue(
    origin: "2c259c4b-0f26-4e16-9d0f-a0086be866a7", domain: "finance",
    turns: [
      .init(1, "dear roryi have problem with my last month credit bill charges"),
      .init(7, "double times transaction charges appeared on 060618"),
    ])

  /// Calls: the fourth act.
  static let call = Dialogue(
    origin: "b47fd31d-81e5-4788-af07-6683fd2ab8a0", domain: "finance",
    turns: [
      .init(0, "hi"),
      .init(1, "hi jamie are you on the line"),
      .init(7, "ok noted and i wait for you"),
      .init(14, "noted and thanks for ur effort"),
    ])

  /// Other customers, who talk to the same bot at the same time.
  static let others: [Dialogue] = [
    Dialogue(
      origin: "363491d4-d113-4cb8-ac6e-7443ef0ed93f", domain: "software",
      turns: [
        .init(1, "hello"),
        .init(2, "i need to recurring the new musical instrument for selling"),
        .init(7, "psrew 400 model keyboard for 30 nos"),
        .init(9, "okay please book order"),
        .init(11, "fine my side nothing thank you for your best support"),
      ]),
    Dialogue(
      origin: "0b58c1e4-06fe-458f-8736-b1d1ae74adc0", domain: "software",
      turns: [
        .init(1, "i want to buy new keyboard please help me"),
        .init(5, "i like own this psrew 410 model keyboard"),
        .init(7, "i want just five keyboards only"),
        .init(9, "no sir nothing else thanks for your service"),
        .init(12, "no sir nothing thanks for your help"),
      ]),
    Dialogue(
      origin: "a23ad511-887e-4aff-8ea2-9ea0063399d8", domain: "software",
      turns: [
        .init(1, "id like to increase my recurring order"),
        .init(3, "no i want to increase my recurring order of the psrew 410 by five units"),
        .init(7, "thank you"),
        .init(9, "nope thats all"),
      ]),
    Dialogue(
      origin: "daa37f89-192d-48be-9fa7-b57158407256", domain: "software",
      turns: [
        .init(1, "hi sir"),
        .init(3, "i want to reorder my basic keybords form 10 pieces to 20 pieces kindly update"),
        .init(7, "psre 353"),
        .init(9, "nothing else sir"),
        .init(11, "thank you very much"),
      ]),
    Dialogue(
      origin: "2c17a578-3c5f-476b-9b0d-27bb8143ea70", domain: "software",
      turns: [
        .init(0, "i want to order some musical instruments kindly help me"),
        .init(2, "i want to order some musical instruments kindly help me"),
        .init(4, "ez 220"),
        .init(5, "3 units"),
        .init(9, "nothing else help me"),
        .init(10, "thank you"),
      ]),
    Dialogue(
      origin: "c4838fd6-6855-4ffc-8bf5-2f9c7675863f", domain: "software",
      turns: [
        .init(0, "hello"),
        .init(
          2, "well weve been having some problems with your product frequent timeouts and delay"),
        .init(
          3,
          "is there any way for us to figure out whether theres an issue with your servers or if the problem is on our end"
        ),
        .init(12, "all right ill tell my supervisor well wait 15 minutes and try again"),
        .init(13, "what if its still not working then"),
        .init(15, "okay i just rebooted it seems to be working now"),
        .init(17, "no that was all i needed thanks so much for your help youve been a lifesaver"),
      ]),
    Dialogue(
      origin: "f35409d3-4a5b-448f-a868-13c190aca034", domain: "media",
      turns: [
        .init(0, "hello"),
        .init(2, "hi i want to see my bill can you able to help me"),
        .init(4, "current month bill"),
        .init(10, "sure"),
        .init(12, "okay thats great thanks for the information"),
        .init(14, "thats all the information i require now thanks once again"),
      ]),
  ]
}
