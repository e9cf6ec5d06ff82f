import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("Redis values")
struct RedisValuesTests {
    @Test("Reads each kind of value, and where it is")
    func values() {
        var flow = DissectionDialogue(port: 6379)
        flow.up("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\nGET key\r\n*0\r\n*-1\r\n")
        flow.down("+OK\r\n-ERR x\r\n:-5\r\n,3.14\r\n#t\r\n(123\r\n_\r\n$-1\r\n$2\r\nab\r\n=5\r\ntxt:a\r\n!3\r\nbad\r\n")
        flow.down("*2\r\n+a\r\n*1\r\n-e\r\n~1\r\n:1\r\n%1\r\n+k\r\n+v\r\n>2\r\n+m\r\n:2\r\n*-1\r\n*1\r\n>1\r\n:3\r\n")
        #expect(
            flow.lines
                == """
                up 0..<26 redis: SET k\u{20}
                  redis.count 1..<2 3
                  redis.command 8..<11 SET
                  redis.argument 17..<18 k
                  redis.argument 24..<24\u{20}
                up 26..<35 redis: GET key
                  redis.command 26..<33 GET key
                up 35..<39 redis:\u{20}
                  redis.count 36..<37 0
                up 39..<44 redis:\u{20}
                  redis.count 40..<42 0
                down 0..<5 redis: OK (answers 0 after 1 ms)
                  redis.value 1..<3 OK
                down 5..<13 redis: error ERR x (answers 26 after 1 ms)
                  redis.error 6..<11 ERR x
                down 13..<18 redis: -5 (answers 35 after 1 ms)
                  redis.value 14..<16 -5
                down 18..<25 redis: 3.14 (answers 39 after 1 ms)
                  redis.value 19..<23 3.14
                down 25..<29 redis: t
                  redis.value 26..<27 t
                down 29..<35 redis: 123
                  redis.value 30..<33 123
                down 35..<38 redis: nil
                  redis.value 36..<36\u{20}
                down 38..<43 redis: nil
                  redis.value 39..<41 -1
                down 43..<51 redis: ab
                  redis.value 47..<49 ab
                down 51..<62 redis: txt:a
                  redis.value 55..<60 txt:a
                down 62..<71 redis: bad
                  redis.value 66..<69 bad
                down 71..<87 redis: array of 2 a error e
                  redis.count 72..<73 2
                  redis.value 76..<77 a
                  redis.count 80..<81 1
                  redis.error 84..<85 e
                down 87..<95 redis: array of 1 1
                  redis.count 88..<89 1
                  redis.value 92..<93 1
                down 95..<107 redis: array of 1 k v
                  redis.count 96..<97 1
                  redis.value 100..<101 k
                  redis.value 104..<105 v
                down 107..<119 redis: push of 2 m 2
                  redis.count 108..<109 2
                  redis.value 112..<113 m
                  redis.value 116..<117 2
                down 119..<124 redis: array of 0
                  redis.count 120..<122 0
                down 124..<136 redis: array of 1 3
                  redis.count 125..<126 1
                  redis.count 129..<130 1
                  redis.value 133..<134 3
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Shows eight values, and 64 bytes of each")
    func shown() {
        var flow = DissectionDialogue(port: 6379)
        for count in [7, 8, 9] { flow.down("*\(count)\r\n" + (1...count).map { ":\($0)\r\n" }.joined()) }
        for count in [63, 64, 65] {
            let text = String(repeating: "v", count: count)
            flow.down("$\(count)\r\n\(text)\r\n")
        }
        let text = String(repeating: "v", count: 63)
        #expect(
            flow.messages.map(\.summary.string) == [
                "array of 7 1 2 3 4 5 6 7", "array of 8 1 2 3 4 5 6 7 8", "array of 9 1 2 3 4 5 6 7 8", text,
                text + "v", text + "v...",
            ]
        )
    }

    @Test("Says what there is of a stream that ends anywhere")
    func cut() {
        #expect(
            outcomes(of: Array("*2\r\n$3\r\nGET\r\n$2\r\nab\r\n".utf8))
                == """
                0...10 nothing
                11...18 redis: GET (incomplete), 2 fields
                19...20 redis: GET ab (incomplete), 3 fields
                21 redis: GET ab, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("*2\r\n:1\r\n%1\r\n+a\r\n$2\r\nbc\r\n".utf8), .downstream, port: 6379)
                == """
                0...4 nothing
                5...7 redis: array of 2 (incomplete), 1 fields
                8...11 redis: array of 2 1 (incomplete), 2 fields
                12...15 redis: array of 2 1 (incomplete), 3 fields
                16...21 redis: array of 2 1 a (incomplete), 4 fields
                22...23 redis: array of 2 1 a bc (incomplete), 5 fields
                24 redis: array of 2 1 a bc, 5 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Pairs each answer with its command, but no push", arguments: [1, 2, 3])
    func pairs(commands: Int) {
        var flow = DissectionDialogue(port: 6379)
        for _ in 0..<commands { flow.up("PING\r\n") }
        flow.down(">1\r\n+x\r\n")
        for _ in 0..<3 { flow.down("+PONG\r\n") }
        let answers = flow.messages.dropFirst(commands).map { $0.answer?.request }
        #expect(answers == [nil] + (0..<3).map { $0 < commands ? 6 * $0 : nil })
    }

    @Test(
        "Is what its first line can begin",
        arguments: [
            ("*1\r\n$", 4000, true), ("*1\n$", 4000, true), ("*12345678901234\r\n$", 4000, false),
            ("*x\r\n$1\r\n", 4000, false),
            ("*\r\n$", 6379, false), ("*1\r\n+", 4000, false), ("*1\r\n+OK\r\n", 6379, true),
            ("*-1\r\n$4\r\nPING\r\n", 4000, true),
            ("*--1\r\n$4\r\n", 6379, false), ("*123456789012\r\n$1\r\na\r\n", 4000, true),
            ("*1234567890123\r\n$1\r\na\r\n", 4000, false),
            ("get\r\n", 6379, true), ("Zed\r\n", 6379, true), ("@at\r\n", 6379, false), ("[at\r\n", 6379, false),
            ("`at\r\n", 6379, false),
            ("{at\r\n", 6379, false), ("/at\r\n", 6379, false), ("$2\r\nab\r\n", 6379, true), ("$-1\r\n", 6379, true),
            ("$x\r\n", 6379, false),
            ("$536870913\r\n", 6379, false), ("$536870912\r\n" + String(repeating: "x", count: 64), 6379, true),
        ] as [(String, UInt16, Bool)]
    )
    func recognition(text: String, port: UInt16, isMessage: Bool) {
        var flow = DissectionDialogue(port: port)
        flow.up(text)
        flow.finish()
        #expect((flow.name ?? "none") == (isMessage && !flow.said.isEmpty ? "redis" : "none"))
        #expect(
            isMessage == !flow.said.isEmpty || text.hasSuffix("$") || text.hasPrefix("*123456789012\r")
                || text == "*-1\r\n$4\r\nPING\r\n"
        )
    }

    @Test("Bears 32 arrays in each other, and lines of less than 64 KiB")
    func limits() {
        for (depth, isRead) in [(32, true), (33, false)] {
            var flow = DissectionDialogue(port: 6379)
            flow.down(String(repeating: "*1\r\n", count: depth) + ":1\r\n")
            #expect(flow.said == (isRead ? ["down 0..<\(4 * depth + 4) redis: array of 1 1"] : []))
        }
        for (length, isRead) in [(65_534, true), (65_535, false)] {
            var flow = DissectionDialogue(port: 6379)
            flow.down("+OK\r\n+" + String(repeating: "x", count: length))
            flow.down("\r\n+OK\r\n")
            #expect(flow.said.count == (isRead ? 3 : 1))
        }
    }
}
