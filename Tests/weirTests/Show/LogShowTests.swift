import Foundation
import Support
import Testing
import WeirWire

/// A log of a relay works like the capture that the same relay recorded.
@Suite("Logs of a relay in weir show", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct LogShowTests {
    /// Records requests through a relay as a capture and as a log, and returns the paths: of the capture, of the log, and
    /// of the log without its bytes.
    private static func record(_ count: Int) async throws -> (relay: RecordedRelay, log: String, short: String) {
        let folder = try TemporaryFolder()
        let (log, short) = (folder.path + "/relay.jsonl", folder.path + "/short.jsonl")
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, ["--log", log, "--log-bytes"], folder: folder)
        for number in 0..<count {
            let client = try TCPPeer(to: relay.endpoint)
            let peer = try server.accept()
            try client.send("GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            client.finish()
            _ = try peer.receiveToEnd()
            try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            peer.finish()
            _ = try client.receiveToEnd()
        }
        #expect(try await relay.program.stop().status == 0)
        let lines = String(decoding: try TemporaryFolder.read(log), as: UTF8.self).split(separator: "\n").map { line in
            guard let start = line.range(of: #","bytes":""#) else { return String(line) }
            let end = line[start.upperBound...].firstIndex(of: "\"") ?? line.endIndex
            return String(line[..<start.lowerBound] + line[end...].dropFirst())
        }
        _ = try folder.file("short.jsonl", Array((lines.joined(separator: "\n") + "\n").utf8))
        return (relay, log, short)
    }

    /// Returns the objects of a view, without what a log cannot know exactly: the time at which a chunk was read.
    private static func objects(_ arguments: [String], without keys: Set<String> = []) async throws -> [NSDictionary] {
        let ended = try await shown(arguments + ["--json"])
        #expect(ended.status == 0 && ended.errors == "", "\(arguments): \(ended.errors)")
        let inexact: Set<String> = [
            "time", "start", "duration_ns", "delay_ns", "first_byte_ns", "dial_ns", "p50_ns", "p90_ns", "p99_ns",
            "longest_ns",
            "server_leg",
        ]
        return try LogLines(Array(ended.output.utf8)).objects.map { object in
            NSDictionary(dictionary: object.filter { !inexact.contains($0.key) && !keys.contains($0.key) })
        }
    }

    @Test("Flows, messages and statistics are those of the capture, with bytes or without")
    func views() async throws {
        let (relay, log, short) = try await Self.record(5)
        for options in [
            [], ["--messages"], ["--stats"], ["--errors"], ["--messages", "--where", "http"], ["--flow", "3"],
            ["--messages", "--where", "status < 300 and path /3"], ["--where", "method GET and host h and path /1"],
            ["--stats", "--where", "path /1"], ["--errors", "--where", "error"],
            ["--where", "not error and took < 30s"],
        ] {
            let capture = try await Self.objects([relay.path] + options)
            #expect(try await Self.objects([log] + options) == capture, "\(options)")
            // Without bytes, the protocol is known, but no names.
            let known = try await Self.objects([relay.path] + options, without: ["host"])
            #expect(try await Self.objects([short] + options, without: ["host"]) == known, "\(options)")
        }
        #expect(try await Self.objects([relay.path]).count == 5)
    }

    @Test("What needs bytes works on a log that has them: the same as on the capture")
    func bytes() async throws {
        let (relay, log, _) = try await Self.record(2)
        for options in [["--follow", "2", "--as", "raw"], ["--curl", "1"], ["--grep", "hi"]] {
            let (one, other) = (try await shown([relay.path] + options), try await shown([log] + options))
            #expect(one.status == 0 && other.status == 0 && other.errors == "")
            if options[0] == "--grep" {
                #expect(one.output.split(separator: "\n").count == other.output.split(separator: "\n").count)
            } else {
                #expect(one.output == other.output && !one.output.isEmpty, "\(options)")
            }
        }
        let out = relay.folder.path + "/out"
        let exported = try await shown([log, "--export", out])
        #expect(exported.output.hasSuffix("2 files in \(out)\n"))
        #expect(try TemporaryFolder.read(out + "/1") == Array("hi".utf8))
    }

    @Test("Without bytes, a view that needs them says so in one line")
    func withoutBytes() async throws {
        let (relay, _, short) = try await Self.record(1)
        let views = [
            (["--follow", "1"], "--follow"), (["--messages", "--fields"], "--fields"),
            (["--packets", "--hex"], "--hex"),
            (["--export", relay.folder.path + "/out"], "--export"), (["--har", relay.folder.path + "/h"], "--har"),
            (["--curl", "1"], "--curl"), (["--grep", "hi"], "--grep"),
            (["--messages", "--leg", "server"], "--leg server"),
            (["--errors", "--where", "contains hi"], "--where, for 'contains' and 'matches',"),
        ]
        for (options, name) in views {
            let ended = try await shown([short] + options)
            #expect(ended.status == 65, "\(name)")
            let words = "the log has no bytes, which \(name) needs; record it with --log-bytes"
            #expect(ended.errors == "weir: '\(short)': \(words)\n")
        }
        #expect(try await shown([short, "--packets"]).status == 0)
        #expect(try await shown([short, "--summary"]).status == 0)
    }

    @Test("A folder with the capture and the logs of one run shows each flow once, and says what is not read")
    func folder() async throws {
        let (relay, log, short) = try await Self.record(3)
        let ended = try await shown([relay.folder.path, "--json"])
        #expect(ended.status == 0 && ended.output.split(separator: "\n").count == 3)
        let lines = [log, short].map {
            "weir: '\($0)' is not read: '\(relay.path)' is of the same run; name the log to read it\n"
        }
        #expect(ended.errors == lines.joined())
    }

    @Test("A log that is cut shows what it has, and ends as a capture that is cut")
    func cut() async throws {
        let (relay, log, _) = try await Self.record(2)
        let whole = try TemporaryFolder.read(log)
        let start = whole.dropLast().lastIndex(of: 10).map { $0 + 1 } ?? 0
        let path = try relay.folder.file("cut.jsonl", Array(whole.dropLast(5)))
        let ended = try await shown([path, "--json"])
        #expect(ended.status == 65 && ended.output.split(separator: "\n").count == 2)
        let line = "line \(whole.count { $0 == 10 }), which begins at byte \(start), has no end"
        #expect(
            ended.errors
                == "weir: '\(path)': cut short at byte \(whole.count - 5): \(line); all before it can be used\n"
        )
    }

    @Test("A log of two runs has one number for each flow, and says which they are")
    func runs() async throws {
        let (relay, log, _) = try await Self.record(2)
        let (second, other, _) = try await Self.record(1)
        // The folder of the second run is there as long as its relay.
        defer { withExtendedLifetime(second) {} }
        let both = try TemporaryFolder.read(log) + TemporaryFolder.read(other)
        let path = try relay.folder.file("both.jsonl", both)
        let ended = try await shown([path, "--json"])
        #expect(ended.status == 0)
        #expect(try LogLines(Array(ended.output.utf8)).objects.map { $0["flow"] as? Int } == [1, 2, 3])
        #expect(
            ended.errors
                == "weir: '\(path)': 2 runs of a relay, whose flows are numbered on: #3 is #1 of run 2\n"
        )
        let third = try await shown([path, "--follow", "3", "--as", "raw", "--only", "up"])
        #expect(third.status == 0 && third.output == "GET /0 HTTP/1.1\r\nHost: h\r\n\r\n")
    }

    @Test("Logs and captures of one folder, a pipe, and lines that are no records")
    func inputs() async throws {
        let (relay, log, _) = try await Self.record(2)
        let piped = try await shown(["-", "--messages"], sending: try TemporaryFolder.read(log))
        #expect(piped.status == 0 && piped.output.split(separator: "\n").count == 4)
        let mixed = try relay.folder.file("mixed.jsonl", try TemporaryFolder.read(log) + Array("nonsense\n".utf8))
        let ended = try await shown([mixed])
        #expect(ended.status == 0)
        #expect(
            ended.errors.contains("'\(mixed)': 1 of ")
                && ended.errors.contains(" lines are no record of a relay's --log")
        )
        let bad = try relay.folder.file("bad.jsonl", Array("{\"a\":1}\n".utf8))
        let refused = try await shown([bad])
        #expect(refused.status == 65)
        #expect(
            refused.errors == "weir: '\(bad)': neither a capture nor a log: no line is a record of weir relay --log\n"
        )
    }
}
