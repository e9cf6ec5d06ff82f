import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Replace")
struct ReplaceToxicTests {
    private func run(_ find: String, _ with: String, over transport: Transport = .tcp) throws -> ChainRun {
        let attributes: [String: ToxicValue] = ["find": .string(find), "with": .string(with), "wait": .int(100)]
        return try ChainRun([.init("replace", .upstream, attributes: attributes)], over: transport)
    }

    /// Replaces in a text as a whole: what must come out whatever was cut.
    private func replaced(_ text: [UInt8], _ find: [UInt8], _ with: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: find) {
                result += with
                index += find.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    @Test(
        "Finds a pattern cut at every possible border, into two and into three",
        arguments: [
            ("hello", "bye", "say hello hello, helhello"), ("aab", "X", "aaab aabaab aaaaab"),
            ("abab", "longer!", "ababab abababab"),
            ("a", "", "banana"), ("needle", "needle", "a needle"), ("xyz", "-", "nothing at all xy"),
        ]
    )
    func everyBorder(find: String, with: String, text: String) throws {
        let bytes = Array(text.utf8)
        let expected = replaced(bytes, Array(find.utf8), Array(with.utf8))
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var run = try run(find, with)
                for part in [bytes[..<first], bytes[first..<second], bytes[second...]] { run.push(Array(part)) }
                run.end()
                #expect(run.bytes == expected, "cut at \(first) and \(second)")
                #expect(run.ends == 1)
            }
        }
    }

    @Test("Finds what a plain search finds, in random texts of two letters")
    func random() throws {
        var random = SplitMix64(seed: 8)
        for _ in 0..<2000 {
            let letters = (0..<40).map { _ in UInt8.random(in: 0x61...0x62, using: &random) }
            let pattern = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                UInt8.random(in: 0x61...0x62, using: &random)
            }
            var run = try run(String(decoding: pattern, as: UTF8.self), "<>")
            var rest = letters[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &random)
                run.push(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            run.end()
            #expect(run.bytes == replaced(letters, pattern, Array("<>".utf8)))
        }
    }

    @Test("The beginning of a pattern waits for its rest, but not for long")
    func waits() throws {
        var run = try run("hello", "bye")
        run.push(Array("say hel".utf8))
        #expect(run.bytes == Array("say ".utf8))
        run.advance(by: .milliseconds(99))
        #expect(run.bytes == Array("say ".utf8))
        run.advance(by: .milliseconds(1))
        #expect(run.bytes == Array("say hel".utf8))
        run.push(Array("lo".utf8))
        #expect(run.bytes == Array("say hello".utf8))
    }

    @Test("Each datagram is looked at alone, and none waits")
    func datagrams() throws {
        var run = try run("hello", "bye", over: .udp)
        for text in ["hel", "lo", "hello", ""] { run.push(Array(text.utf8)) }
        #expect(run.chunks.map { String(decoding: $0.bytes, as: UTF8.self) } == ["hel", "lo", "bye", ""])
    }

    @Test("Says how many bytes were replaced, and where the first stands now")
    func changes() throws {
        var run = try run(#"\x00\xff"#, "hex:0d0A")
        run.push([1, 2, 0, 0xFF, 0, 0xFF, 3])
        #expect(run.bytes == [1, 2, 13, 10, 13, 10, 3])
        var change = ToxicChange(.replaced, count: 4, offset: 2)
        change.toxic = "replace_upstream"
        #expect(run.chunks[0].changes == [change])
    }

    @Test("Its removal lets go what it kept, in order")
    func removal() throws {
        var run = try run("hello", "bye")
        run.push(Array("hell".utf8))
        try run.change(to: [])
        run.push(Array("o".utf8))
        #expect(run.bytes == Array("hello".utf8))
    }

    @Test("Refuses a pattern that is none, and one that a peer could fill the memory with")
    func refused() {
        for (field, attributes) in [
            ("find", ["find": ToxicValue.string("")]), ("find", ["find": .string("hex:1")]),
            ("find", ["find": .string(#"\q"#)]),
            ("with", ["find": .string("x"), "with": .string(String(repeating: "y", count: 1025))]),
            ("find", ["find": .string(String(repeating: "x", count: 65_536))]),
        ] {
            let error = #expect(throws: ToxicError.self) {
                try ToxicConfiguration("replace", attributes: attributes).validated()
            }
            #expect(error?.field == field)
        }
        for (find, with) in [(1, 1024), (65_535, 0), (3, 3072)] {
            let attributes: [String: ToxicValue] = [
                "find": .string(String(repeating: "x", count: find)),
                "with": .string(String(repeating: "y", count: with)),
            ]
            #expect(throws: Never.self) { try ToxicConfiguration("replace", attributes: attributes).validated() }
        }
    }
}
