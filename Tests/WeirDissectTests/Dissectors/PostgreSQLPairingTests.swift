import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Pairs of PostgreSQL's messages")
struct PostgreSQLPairingTests {
    /// Returns what each message is: `>` before a letter is a client's, `<` a server's; the start-up is `>_`.
    private static func roles(_ dialogue: String) -> String {
        var pairing = PostgreSQLPairing()
        return dialogue.split(separator: " ").map { word in
            let letter = word.utf8.last ?? 0
            let role =
                word == ">_" ? pairing.start() : word.hasPrefix(">") ? pairing.ask(letter) : pairing.answer(letter)
            return switch role {
            case nil: "\(word)"
            case .request(let number): "\(word)\(number)"
            case .part(let number): "\(word)(\(number))"
            case .answer(let number): "\(word)=\(number)"
            }
        }.joined(separator: " ")
    }

    @Test(
        "An answer has its request's number",
        arguments: [
            (">_ <R >p <R <S <K <Z", ">_0 <R=0 >p <R <S <K <Z"), (">_ <E", ">_0 <E=0"),
            (">Q <T <D <D <C <Z", ">Q0 <T(0) <D(0) <D(0) <C=0 <Z"), (">Q <E <Z >Q <I <Z", ">Q0 <E=0 <Z >Q1 <I=1 <Z"),
            // The second statement of a query has no answer of its own.
            (">Q <C <T <C <Z >Q <C <Z", ">Q0 <C=0 <T(0) <C=0 <Z >Q1 <C=1 <Z"),
            // Notices and settings come at any time.
            (">Q <N <A <S <C <Z", ">Q0 <N <A <S <C=0 <Z"),
            // Prepared and executed in one turn, and in two.
            (">P >B >D >E >S <1 <2 <T <D <C <Z", ">P0 >B >D >E >S <1(0) <2(0) <T(0) <D(0) <C=0 <Z"),
            (">P >D >S <1 <t <T <Z >B >E >S <2 <C <Z", ">P0 >D >S <1=0 <t <T <Z >B >E2 >S <2(2) <C=2 <Z"),
            (">P >H <1 >B >E >S <2 <s <Z", ">P0 >H <1=0 >B >E1 >S <2(1) <s=1 <Z"),
            // Several in a turn; an error ends it.
            (">P >B >E >B >E >S <1 <2 <C <2 <C <Z", ">P0 >B >E >B >E1 >S <1(0) <2(0) <C=0 <2(1) <C=1 <Z"),
            (">P >B >E >B >E >S <1 <E <Z >Q <C <Z", ">P0 >B >E >B >E1 >S <1(0) <E=0 <Z >Q3 <C=3 <Z"),
            // Turns that do not wait for each other.
            (">B >E >S >B >E >S <E <Z <2 <C <Z", ">B >E0 >S >B >E2 >S <E=0 <Z <2(2) <C=2 <Z"),
            (">Q >Q <C <Z <E <Z", ">Q0 >Q1 <C=0 <Z <E=1 <Z"), (">F <V <Z", ">F0 <V=0 <Z"), (">F <E <Z", ">F0 <E=0 <Z"),
            (">Q <G >d >c <C <Z", ">Q0 <G(0) >d >c <C=0 <Z"),
            // Answers to what was not seen.
            ("<C <Z <E <1 <2 <R >Q <C", "<C <Z <E <1 <2 <R >Q0 <C=0"),
        ]
    )
    func table(dialogue: String, roles: String) {
        #expect(Self.roles(dialogue) == roles)
    }

    @Test("After a loss nothing is paired until the server is ready")
    func loss() {
        var pairing = PostgreSQLPairing()
        #expect(pairing.ask(UInt8(ascii: "Q")) == .request(0))
        pairing.lose()
        #expect(pairing.ask(UInt8(ascii: "Q")) == nil)
        #expect(pairing.answer(UInt8(ascii: "C")) == nil)
        #expect(pairing.answer(UInt8(ascii: "Z")) == nil)
        #expect(pairing.ask(UInt8(ascii: "Q")) == .request(1))
        #expect(pairing.answer(UInt8(ascii: "C")) == .answer(1))
    }

    @Test("Without answers 128 messages are kept, and one more is a loss", arguments: [127, 128, 129])
    func limit(count: Int) {
        var pairing = PostgreSQLPairing()
        for _ in 0..<count { _ = pairing.ask(UInt8(ascii: "Q")) }
        #expect(pairing.answer(UInt8(ascii: "C")) == (count > 128 ? nil : .answer(0)))
    }

    @Test("Random sessions, with turns that do not wait for each other", arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pairing = PostgreSQLPairing()
        // What the server will answer: its letter, and whether it says what became of a request.
        var answers: [(letter: Unicode.Scalar, request: Bool)] = []
        var (asked, answered): ([UInt64], [UInt64]) = ([], [])
        var expected = 0
        func ask(_ letter: Unicode.Scalar) {
            if case .request(let number) = pairing.ask(UInt8(letter.value & 255)) { asked.append(number) }
        }
        for _ in 0..<40 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                ask("Q")
                for _ in 0..<Int.random(in: 0..<4, using: &random) { answers.append(("D", false)) }
                answers += [(Int.random(in: 0..<3, using: &random) == 0 ? "E" : "C", true), ("Z", false)]
                expected += 1
            } else {
                var hasFailed = false
                for _ in 0..<1 + Int.random(in: 0..<3, using: &random) {
                    let isPrepared = Int.random(in: 0..<2, using: &random) == 0
                    if isPrepared {
                        ask("P")
                        if !hasFailed { answers.append(("1", false)) }
                    }
                    ask("B")
                    ask("E")
                    guard !hasFailed else { continue }
                    hasFailed = Int.random(in: 0..<5, using: &random) == 0
                    if !hasFailed { answers.append(("2", false)) }
                    answers.append((hasFailed ? "E" : "C", true))
                    expected += 1
                }
                ask("S")
                answers.append(("Z", false))
            }
            // The server is up to ten turns behind; some clients wait for it.
            let count =
                Int.random(in: 0..<3, using: &random) == 0 ? answers.count : answers.count - min(answers.count, 20)
            for (letter, isAnswer) in answers.prefix(count) {
                let role = pairing.answer(UInt8(letter.value & 255))
                if case .answer(let number) = role {
                    answered.append(number)
                    #expect(isAnswer)
                } else {
                    #expect(!isAnswer)
                }
            }
            answers.removeFirst(count)
        }
        for (letter, _) in answers {
            if case .answer(let number) = pairing.answer(UInt8(letter.value & 255)) { answered.append(number) }
        }
        // Each outcome belongs to one request, in order.
        #expect(answered.count == expected)
        #expect(answered == answered.sorted() && Set(answered).count == answered.count)
        #expect(Set(answered).isSubset(of: asked))
    }
}
