import Support
import Testing
import WeirWire

@Suite("The prompt of weir toxic hold", .tags(.network), .timeLimit(.minutes(1)))
struct HoldPromptTests {
    /// Answers one request after the other, and returns the lines that ask.
    private static func serve(_ server: TCPServer, _ statuses: [String]) throws -> [String] {
        try statuses.map { status in
            let peer = try server.accept()
            var head = ""
            while !head.hasSuffix("\r\n\r\n") { head += String(decoding: try peer.receive(1), as: UTF8.self) }
            let fields = head.split(separator: "\r\n")
            let length = fields.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
            _ = try peer.receive(length)
            try peer.send("HTTP/1.1 \(status)\r\nContent-Length: 2\r\n\r\n{}")
            peer.finish()
            _ = try peer.receiveToEnd()
            return String(fields[0].dropLast(" HTTP/1.1".count))
        }
    }

    @Test(
        "Where one of two holds is refused, the other one is taken away; where the first is, there is none",
        arguments: [(["409 Conflict"], ["POST"]), (["200 OK", "409 Conflict"], ["POST", "POST", "DELETE", "DELETE"])]
    )
    func begins(statuses: [String], methods: [String]) async throws {
        let server = try TCPServer()
        let place = "127.0.0.1:\(server.endpoint.port)"
        let program = try WeirProgram(["toxic", "hold", "p", "--up", "--down", "--url", place])
        let answers = statuses + Array(repeating: "404 Not Found", count: methods.count - statuses.count)
        let serving = try Background { try Self.serve(server, answers) }
        let ended = try await program.finish()
        let name = "hold-\(program.identifier)"
        var lines = methods.map { $0 + " /proxies/p/toxics" }
        if lines.count > 2 {
            lines[2] += "/\(name)_upstream"
            lines[3] += "/\(name)_downstream"
        }
        #expect(try serving.value() == lines)
        #expect(ended.status == 69 && ended.output.isEmpty && ended.errors.hasPrefix("weir: \(place) says 409: "))
    }
}
