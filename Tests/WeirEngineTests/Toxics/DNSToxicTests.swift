import Support
import Testing
import WeirDissect
import WeirWire

@testable import WeirEngine

@Suite("DNS")
struct DNSToxicTests {
    /// A DNS message to be written.
    private struct Question {
        var name = "api.example.com"
        var type: UInt16 = 1
        var `class`: UInt16 = 1
    }

    private static let true4: [UInt8] = [192, 0, 2, 1]
    /// The OPT record of EDNS, of 1,232 bytes, with a cookie.
    private static let option: [UInt8] = [0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 12, 0, 10, 0, 8] + Array(1...8)

    private static func number(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }

    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// Writes a message.
    private static func message(
        _ questions: [Question] = [Question()],
        flags: UInt16 = 0x8180,
        answers: [[UInt8]] = [],
        authorities: [[UInt8]] = [],
        others: [[UInt8]] = []
    ) -> [UInt8] {
        let counts = [questions.count, answers.count, authorities.count, others.count].map { UInt16($0) }
        var message = number(0xABCD) + number(flags) + counts.flatMap(number)
        for question in questions { message += name(question.name) + number(question.type) + number(question.class) }
        return message + (answers + authorities + others).joined()
    }

    /// Writes a record; its name is a pointer to the question's.
    private static func record(_ type: UInt16, _ data: [UInt8], name: [UInt8] = [0xC0, 12]) -> [UInt8] {
        name + number(type) + number(1) + [0, 0, 0x0E, 0x10] + number(UInt16(data.count)) + data
    }

    private static func run(
        _ host: String = "api.example.com",
        _ address: String = "127.0.0.1",
        over transport: Transport = .udp
    ) throws -> ChainRun {
        let attributes: [String: ToxicValue] = ["host": .string(host), "address": .string(address), "ttl": .int(7)]
        return try ChainRun([.init("dns", .upstream, attributes: attributes)], over: transport)
    }

    /// Passes one datagram.
    private static func mapped(
        _ message: [UInt8],
        _ host: String = "api.example.com",
        _ address: String = "127.0.0.1"
    ) throws -> [UInt8] {
        var run = try run(host, address)
        run.push(message)
        return try #require(run.chunks.first).bytes
    }

    /// Returns the answer that the message is to become.
    private static func expected(
        _ question: Question = Question(),
        flags: UInt16 = 0x8180,
        addresses: [[UInt8]] = [],
        others: [[UInt8]] = []
    ) -> [UInt8] {
        let records = addresses.map { data in
            [0xC0, 12] + number(data.count == 4 ? 1 : 28) + number(1) + [0, 0, 0, 7] + number(UInt16(data.count)) + data
        }
        return message([question], flags: flags, answers: records, others: others)
    }

    private static let loopback4: [UInt8] = [127, 0, 0, 1]
    private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

    @Test("A question for an address gets the mapped ones, and any other question an empty answer")
    func types() throws {
        let answers = [
            Self.record(5, Self.name("other.example.com")), Self.record(1, Self.true4, name: Self.name("a.b")),
        ]
        for (address, four, six) in [
            ("127.0.0.1", [Self.loopback4], []), ("::1", [], [Self.loopback6]),
            ("127.0.0.1 ::1", [Self.loopback4], [Self.loopback6]),
            ("::1,127.0.0.1", [Self.loopback4], [Self.loopback6]),
        ] as [(String, [[UInt8]], [[UInt8]])] {
            for type in [1, 28, 5, 15, 16, 65, 255] as [UInt16] {
                let question = Question(type: type)
                let both = address.hasPrefix("::1") ? six + four : four + six
                let addresses = type == 1 ? four : type == 28 ? six : type == 255 ? both : []
                let got = try Self.mapped(Self.message([question], answers: answers), "api.example.com", address)
                #expect(got == Self.expected(question, addresses: addresses), "\(address), type \(type)")
            }
        }
    }

    @Test("Every response code becomes success, and the answer is neither cut nor authoritative nor verified")
    func codes() throws {
        for code in UInt16(0)...15 {
            for (flags, kept) in [(0x8000, 0x8000), (0x8180, 0x8180), (0x87B0, 0x8190), (0x8620, 0x8000)]
                as [(UInt16, UInt16)]
            {
                let authority = Self.record(6, [0, 0] + [UInt8](repeating: 1, count: 20))
                let message = Self.message(flags: flags | code, authorities: [authority])
                #expect(try Self.mapped(message) == Self.expected(flags: kept, addresses: [Self.loopback4]))
            }
        }
    }

    @Test("The record of EDNS is kept, and its part of the response code is cleared")
    func options() throws {
        var bad = Self.option
        bad[5] = 1
        let signature = Self.record(250, [1, 2, 3], name: [0])
        for others in [[Self.option], [bad], [Self.record(1, Self.true4), Self.option], [bad, signature]] {
            let message = Self.message(flags: 0x8187, answers: [Self.record(1, Self.true4)], others: others)
            let expected = Self.expected(addresses: [Self.loopback4], others: [Self.option])
            #expect(try Self.mapped(message) == expected)
        }
    }

    @Test(
        "Names compare without regard to case, and '*.' is every name that ends so",
        arguments: [
            ("api.example.com", "api.example.com", true), ("api.example.com", "ApI.eXample.cOM", true),
            ("API.Example.com.", "api.example.com", true), ("api.example.com", "xapi.example.com", false),
            ("api.example.com", "x.api.example.com", false), ("api.example.com", "example.com", false),
            ("api.example.com", "", false), ("*.example.com", "api.example.com", true), ("db", "db", true),
            ("db", "d", false),
            ("*.example.com", "a.b.EXAMPLE.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false), ("*.example.com", "", false), ("*.com", "example.com", true),
        ]
    )
    func names(host: String, asked: String, isMapped: Bool) throws {
        let question = Question(name: asked)
        let message = Self.message([question], answers: [Self.record(1, Self.true4)])
        let expected = isMapped ? Self.expected(question, addresses: [Self.loopback4]) : message
        #expect(try Self.mapped(message, host) == expected)
    }

    @Test("What is no answer to one question of the Internet passes untouched")
    func others() throws {
        let answer = Self.record(1, Self.true4)
        let untouched = [
            Self.message(flags: 0x0100), Self.message([], answers: []),
            Self.message([Question(), Question()], answers: [answer]),
            Self.message([Question(class: 3)], answers: [answer]), Self.message(flags: 0xA000, answers: [answer]),
            Array("hello".utf8), [], [UInt8](repeating: 0xFF, count: 60), [UInt8](repeating: 0, count: 60),
            // The question's name is a pointer, or has a label of another kind.
            Self.number(1) + Self.number(0x8180) + [0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1],
            Self.number(1) + Self.number(0x8180) + [0, 1, 0, 0, 0, 0, 0, 0, 0x41, 12, 0, 0, 1, 0, 1],
        ]
        for message in untouched { #expect(try Self.mapped(message) == message) }
        // A record's data ends after the message, or its name has no end.
        var long = Self.message(answers: [answer])
        long[long.count - 5] = 5
        #expect(try Self.mapped(long) == long)
        let endless = Self.message(answers: [Self.record(1, Self.true4, name: [3, 0x61, 0x62, 0x63, 0x80])])
        #expect(try Self.mapped(endless) == endless)
    }

    @Test("Every prefix of a message passes untouched, or is the whole")
    func prefixes() throws {
        let message = Self.message(answers: [Self.record(1, Self.true4)], others: [Self.option])
        for count in 0..<message.count {
            #expect(try Self.mapped(Array(message[..<count])) == Array(message[..<count]))
        }
    }

    @Test("The change says which bytes are others, and an answer that is the same is none")
    func changes() throws {
        var run = try Self.run()
        let message = Self.message(answers: [Self.record(1, [127, 0, 0, 2])])
        run.push(message)
        run.push(Self.expected(addresses: [Self.loopback4]))
        run.push(Self.message(flags: 0x8183))
        let changes = run.chunks.map { $0.changes.map { "\($0.toxic) \($0.kind) \($0.count) \($0.offset)" } }
        // The time to live, and the last byte of the address; the code and the counts.
        #expect(changes[0] == ["dns_upstream replaced 8 \(message.count - 8)"])
        #expect(changes[1].isEmpty)
        #expect(changes[2].count == 1)
    }

    @Test(
        "Settings that make no map are refused",
        arguments: [
            ("", "127.0.0.1", "host"), (".", "127.0.0.1", "host"), ("*", "127.0.0.1", "host"),
            ("a..b", "127.0.0.1", "host"),
            ("a.*.b", "127.0.0.1", "host"), ("*.", "127.0.0.1", "host"), ("a b", "127.0.0.1", "host"),
            (String(repeating: "a", count: 64), "127.0.0.1", "host"),
            (String(repeating: "a.", count: 128), "::1", "host"),
            ("a", "", "address"), ("a", " ", "address"), ("a", "b", "address"), ("a", "fe80::1%1", "address"),
            ("a", "1.1.1.1 2", "address"), ("a", "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9", "address"),
        ]
    )
    func refuses(host: String, address: String, field: String) {
        let error = #expect(throws: ToxicError.self) { try Self.run(host, address) }
        #expect(error?.field == field)
    }
}

// Streams and random messages
extension DNSToxicTests {
    private static func framed(_ message: [UInt8]) -> [UInt8] { number(UInt16(message.count)) + message }

    @Test("In a stream messages are mapped however reads have cut them")
    func stream() throws {
        let true4 = Self.message(answers: [Self.record(1, Self.true4)])
        let other = Self.message([Question(name: "other.example.com")], answers: [Self.record(1, Self.true4)])
        let bytes = [true4, other, [], true4].flatMap(Self.framed)
        let mapped = Self.expected(addresses: [Self.loopback4])
        let expected = [mapped, other, [], mapped].flatMap(Self.framed)
        for size in 1...bytes.count {
            var run = try Self.run(over: .tcp)
            var rest = bytes[...]
            while !rest.isEmpty {
                run.push(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(run.bytes == expected, "cut into \(size)")
            run.end()
            #expect(run.bytes == expected && run.ends == 1)
        }
    }

    @Test("The beginning of a message waits a second for its rest, and then passes with it; the next one is mapped")
    func waits() throws {
        let true4 = Self.framed(Self.message(answers: [Self.record(1, Self.true4)]))
        for count in 2..<true4.count {
            var run = try Self.run(over: .tcp)
            run.push(Array(true4[..<count]))
            run.advance(by: .milliseconds(999))
            #expect(run.bytes.isEmpty)
            run.advance(by: .milliseconds(1))
            #expect(run.bytes == Array(true4[..<count]))
            run.push(Array(true4[count...]) + true4)
            #expect(run.bytes == true4 + Self.framed(Self.expected(addresses: [Self.loopback4])))
        }
    }

    @Test("Removed or changed in the middle of a message, it lets go what it kept, and finds the next message")
    func removed() throws {
        let true4 = Self.framed(Self.message(answers: [Self.record(1, Self.true4)]))
        var run = try Self.run(over: .tcp)
        run.push(Array(true4[..<9]))
        let attributes: [String: ToxicValue] = [
            "host": .string("api.example.com"), "address": .string("127.0.0.1"), "ttl": .int(7),
        ]
        var changed = ToxicConfiguration("dns", .upstream, attributes: attributes)
        changed.attributes["host"] = .string("*.example.com")
        try run.change(to: [changed])
        #expect(run.bytes == Array(true4[..<9]))
        run.push(Array(true4[9...]) + true4)
        #expect(run.bytes == true4 + Self.framed(Self.expected(addresses: [Self.loopback4])))
        run.push(Array(true4[..<9]))
        try run.change(to: [])
        #expect(run.bytes.suffix(9).elementsEqual(true4[..<9]))
    }

    /// Writes a random message, whose names come from a few words and may be pointers.
    private static func random(_ random: inout SplitMix64) -> (message: [UInt8], name: String, type: UInt16) {
        let words = ["api", "API", "db", "x", "example", "Example", "com", "net"]
        let count = Int.random(in: 0...4, using: &random)
        let name = (0..<count).map { _ in words.drawn(&random) }.joined(separator: ".")
        let type: UInt16 = [1, 28, 5, 16, 65].drawn(&random)
        func records(_ most: Int) -> [[UInt8]] {
            (0..<Int.random(in: 0...most, using: &random)).map { _ in
                let owner = [[0xC0, 12], Self.name("a.b"), [0], [1, 0x61, 0xC0, 12]].drawn(&random)
                return switch Int.random(in: 0...3, using: &random) {
                case 0: record(1, true4, name: owner)
                case 1: record(28, loopback6, name: owner)
                case 2: record(5, [0xC0, 12], name: owner)
                default: record(16, [3, 1, 2, 3], name: owner)
                }
            }
        }
        let flags = UInt16([0x8180, 0x8183, 0x8182, 0x8580, 0x8380].drawn(&random))
        let others = records(1) + (Bool.random(using: &random) ? [option] : [])
        let made = message(
            [Question(name: name, type: type)],
            flags: flags,
            answers: records(3),
            authorities: records(2),
            others: others
        )
        return (made, name, type)
    }

    @Test(
        "Random messages: others are the same, byte for byte; mapped ones have the expected addresses",
        arguments: 1...20
    )
    func randomMessages(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var count = 0
        for _ in 0..<200 {
            let (message, name, type) = Self.random(&random)
            let host = ["*.example.com", "db", "api.example.com", "*.com"].drawn(&random)
            let plain = name.lowercased()
            let isMapped = host.hasPrefix("*") ? plain.hasSuffix(host.dropFirst()) : plain == host
            let got = try Self.mapped(message, host, "127.0.0.1 ::1")
            guard isMapped else {
                #expect(got == message)
                continue
            }
            count += 1
            let found = DNSAnswers(got.span.bytes)
            let answers = try #require(found)
            let addresses: [IPAddress] = type == 1 ? [.loopbackV4] : type == 28 ? [.loopbackV6] : []
            #expect(answers.name == name && answers.addresses == addresses)
            #expect(got[..<2] == message[..<2] && got[3] & 15 == 0 && got.count <= message.count + 28)
            #expect(
                got.suffix(Self.option.count).elementsEqual(Self.option)
                    == message.suffix(Self.option.count).elementsEqual(Self.option)
            )
            // Cut or with a wrong byte it never traps.
            var damaged = message
            damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            _ = try Self.mapped(damaged, host)
        }
        #expect(count > 0)
    }
}
