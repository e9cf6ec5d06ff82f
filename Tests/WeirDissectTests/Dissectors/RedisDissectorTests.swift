import Testing
import WeirWire

@testable import WeirDissect

@Suite("Redis dissector")
struct RedisDissectorTests {
    @Test("Pairs commands with their answers, on any port")
    func pairs() {
        var flow = DissectionDialogue(port: 4000)
        flow.up("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*1\r\n$4\r\nPING\r\n")
        #expect(flow.take() == ["up 0..<22 redis: GET key", "up 22..<36 redis: PING"])
        flow.down("$5\r\nvalue\r\n+PONG\r\n")
        #expect(
            flow.take() == [
                "down 0..<11 redis: value (answers 0 after 1 ms)", "down 11..<18 redis: PONG (answers 22 after 1 ms)",
            ]
        )
        #expect(flow.name == "redis")
    }

    @Test("Says where the fields are")
    func fields() throws {
        var flow = DissectionDialogue()
        flow.up("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n")
        let message = try #require(flow.messages.last)
        #expect(
            message.fieldLines == ["redis.count 15..<16 2", "redis.command 22..<25 GET", "redis.argument 31..<34 key"]
        )
    }

    @Test("Reads every kind of answer")
    func answers() {
        var flow = DissectionDialogue(port: 6379)
        flow.up("PING\r\n")
        flow.down(
            "-ERR no\r\n:12\r\n$-1\r\n_\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n%1\r\n+k\r\n,1.5\r\n>2\r\n+message\r\n+x\r\n*0\r\n"
        )
        #expect(
            flow.take() == [
                "up 0..<6 redis: PING", "down 0..<9 redis: error ERR no (answers 0 after 1 ms)",
                "down 9..<14 redis: 12",
                "down 14..<19 redis: nil", "down 19..<22 redis: nil", "down 22..<41 redis: array of 2 a 1",
                "down 41..<55 redis: array of 1 k 1.5", "down 55..<73 redis: push of 2 message x",
                "down 73..<77 redis: array of 0",
            ]
        )
    }

    @Test("Says the same of pieces of any size", arguments: [1, 2, 3, 7, 64, 1000, 100_000])
    func pieces(size: Int) {
        let value = String(repeating: "v", count: 3000)
        let command = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3000\r\n\(value)\r\n"
        var flow = DissectionDialogue()
        flow.add(Array((command + command).utf8), .upstream, inPiecesOf: size)
        let shown = String(repeating: "v", count: 64)
        #expect(flow.said == ["up 0..<3031 redis: SET key \(shown)...", "up 3031..<6062 redis: SET key \(shown)..."])
    }

    @Test("Gives up what is none of it")
    func givesUp() {
        var flow = DissectionDialogue()
        flow.up("*1\r\n$4\r\nPING\r\n")
        flow.up("hello\u{0}\r\n\u{1}\r\n")
        #expect(flow.take().count == 2)
        flow.up("*1\r\n$4\r\nPING\r\n")
        #expect(flow.take() == ["up 25..<39 redis: PING"])
        var other = DissectionDialogue(port: 6379)
        other.up("*x\r\n*1\r\n$4\r\nPING\r\n")
        #expect(other.take() == [])
    }

    @Test("Goes on behind bytes that are missing within a value, and looks for the next message elsewhere")
    func gaps() {
        var flow = DissectionDialogue()
        flow.up("*2\r\n$3\r\nSET\r\n$3000\r\n" + String(repeating: "v", count: 100))
        flow.gap(2900, .upstream)
        flow.up("\r\n")
        flow.up("*1\r\n$4\r\nPING\r\n")
        let shown = String(repeating: "v", count: 64)
        #expect(flow.take() == ["up 0..<3022 redis: SET \(shown)... (incomplete)", "up 3022..<3036 redis: PING"])
        flow.gap(10, .upstream)
        flow.up("3\r\nkey\r\n")
        flow.up("*1\r\n$4\r\nPING\r\n")
        #expect(flow.take() == ["up 3054..<3068 redis: PING"])
    }
}
