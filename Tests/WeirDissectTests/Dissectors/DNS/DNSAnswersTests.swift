import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("The addresses of DNS answers")
struct DNSAnswersTests {
    /// An answer for `a.example`: an alias, and the addresses of what it stands for.
    private static let answer: [UInt8] =
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]
        + [1, 0x61, 7] + Array("example".utf8) + [0, 0, 1, 0, 1]
        + [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 0x62, 0xc0, 14]
        + [0xc0, 39, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3]
        + [0xc0, 39, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0xfd] + [UInt8](repeating: 0, count: 14) + [9]

    @Test("All addresses belong to the name that was asked for, also behind an alias")
    func addresses() throws {
        let found = DNSAnswers(Self.answer.span.bytes)
        let answers = try #require(found)
        #expect(answers.name == "a.example")
        let wanted = try ["10.1.2.3:0", "[fd00::9]:0"].map { try #require(Endpoint($0)).address }
        #expect(answers.addresses == wanted)
    }

    @Test("A question, an answer without a question, and every damaged end give nothing")
    func nothing() {
        var question = Self.answer
        question[2] = 0x01
        #expect(DNSAnswers(question.span.bytes) == nil)
        var without = Self.answer
        without[5] = 0
        #expect(DNSAnswers(without.span.bytes) == nil)
        for count in 0..<Self.answer.count { #expect(DNSAnswers(Array(Self.answer[..<count]).span.bytes) == nil) }
    }

    @Test("Records of other types and lengths are passed over")
    func others() throws {
        var wrongType = Self.answer
        // The first address becomes a record of type 2, the second one of another length's place stays.
        wrongType[Self.answer.count - 28 - 13] = 2
        let found = DNSAnswers(wrongType.span.bytes)
        let answers = try #require(found)
        #expect(answers.addresses.count == 1)
    }
}
