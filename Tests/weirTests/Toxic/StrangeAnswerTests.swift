import Support
import Testing
import WeirWire

/// A server that is no relay, or one that lies, and what `weir toxic` makes of its answers.
@Suite("weir toxic and strange answers", .tags(.network), .timeLimit(.minutes(1)))
struct StrangeAnswerTests {
    /// Runs `weir toxic` against a server that answers every request with the same bytes, and then ends.
    private func toxic(
        _ arguments: [String],
        answer: [UInt8],
        requests: Int = 1
    ) async throws -> (ended: WeirProgram.Ended, place: String) {
        let server = try TCPServer()
        let place = "127.0.0.1:\(server.endpoint.port)"
        let program = try WeirProgram(["toxic"] + arguments + ["--url", place])
        for _ in 0..<requests {
            let peer = try server.accept()
            _ = try peer.receive(20)
            // A client that has seen enough hangs up.
            try? peer.send(answer)
            peer.finish()
            _ = try? peer.receiveToEnd()
        }
        return (try await program.finish(), place)
    }

    @Test(
        "An answer that is no HTTP, or has no JSON, is one line and ends with 69",
        arguments: [
            ("", "is not whole"), ("SSH-2.0-OpenSSH_9.6\r\n", "is no HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", "has a Content-Length that is not understood"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999999\r\n\r\n{}",
                "has a Content-Length that is not understood"
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", "has a body of more than 67108864 bytes"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n{}",
                "has a body of more than 67108864 bytes"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
                "says twice, and differently, how long it is"
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", "is not whole"),
            (json(String(repeating: "[", count: 100_000)), "is no JSON: exceeded max depth"),
            (json("<html>\u{1b}[2J"), "is no JSON: invalid character '<' looking for beginning of value"),
            (json("{} {}"), "is no JSON: invalid character '{' after top-level value"), (json(""), "is no JSON: EOF"),
            (json("[]"), "is no JSON object"), (json("", "204 No Content"), "is no JSON: EOF"),
        ]
    )
    func refuses(answer: String, reason: String) async throws {
        let (ended, place) = try await toxic(["list"], answer: Array(answer.utf8))
        #expect(ended.status == 69 && ended.output.isEmpty)
        #expect(
            ended.errors
                == "weir: the answer of \(place) \(reason); is that the control API of a relay?\n"
        )
    }

    @Test("30 MiB of junk and a head without an end are refused in bounds")
    func junk() async throws {
        let junk = [UInt8](repeating: 0x41, count: 30 << 20)
        let first = try await toxic(["list"], answer: junk).ended
        #expect(first.status == 69 && first.errors.contains(" is no HTTP/1.1; "))
        let head = try await toxic(["list"], answer: Array("HTTP/1.1 200 OK\r\nX: ".utf8) + junk).ended
        #expect(head.status == 69 && head.errors.contains(" has a head of more than 65536 bytes; "))
        let body = try await toxic(["list"], answer: Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + junk).ended
        #expect(body.status == 69 && body.errors.contains(" is no JSON: invalid character 'A' looking for "))
    }

    @Test("A status that is no success is said with a reason of bounded length, on one line")
    func statuses() async throws {
        let moved = try await toxic(["remove", "p", "t"], answer: Array(json("", "302 Found").utf8))
        #expect(moved.ended.status == 69 && moved.ended.errors == "weir: \(moved.place) says 302: \n")
        let long = json("a\nb\u{1b}" + String(repeating: "x", count: 100_000), "500 Oh")
        let failed = try await toxic(["reset"], answer: Array(long.utf8))
        #expect(failed.ended.status == 69 && failed.ended.errors.utf8.count < 700)
        #expect(failed.ended.errors.hasPrefix("weir: \(failed.place) says 500: a\\u{a}b\\u{1b}xxx"))
    }

    @Test("A list of holds that is none ends the prompt", arguments: ["{}", "{\"holds\":[{}]}", "{\"holds\":5}"])
    func holds(answer: String) async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["toxic", "hold", "p", "--url", "127.0.0.1:\(server.endpoint.port)"])
        // The toxic, the holds, and the toxic's end.
        for _ in 0..<3 {
            let peer = try server.accept()
            _ = try peer.receive(20)
            try peer.send(json(answer))
            peer.finish()
            _ = try? peer.receiveToEnd()
        }
        let ended = try await program.finish(closesInput: false)
        #expect(ended.status == 69 && ended.errors.hasSuffix("; is that the control API of a relay?\n"))
    }
}

/// Returns an answer with a body.
private func json(_ body: String, _ status: String = "200 OK") -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
