import Glibc
import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("Recordings of the control API", .tags(.network), .timeLimit(.minutes(1)))
struct RecordingsTests {
    /// Starts a relay with an API whose recordings are in a new folder.
    private static func withFolder(_ body: (AdminFixture, TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try await withAdmin(["tcp:0"], configure: { try $0.keepCaptures(in: folder.path) }) { admin in
            try await body(admin, folder)
        }
    }

    private static func start(_ admin: AdminFixture, _ body: String) async throws -> Int {
        try await admin.call("POST", "/v1/recordings", body).status
    }

    /// Returns how many files below a folder are open in this process.
    private static func openFiles(_ folder: TemporaryFolder) -> Int {
        let start = folder.path.replacing("//", with: "/") + "/"
        return (0..<4096).count { descriptor in
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
            let path = String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return path.hasPrefix(start)
        }
    }

    @Test(
        "A name has letters, digits, dots, hyphens and underscores, 128 of them, no dot first, and a capture's ending",
        arguments: [
            ("a.pcapng", true), ("a.pcap", true), ("aZ09.-_.pcap", true), (".pcapng", false), (".a.pcap", false),
            ("a", false), ("a.txt", false), ("a.pcapng.gz", false), ("a/b.pcap", false), ("a b.pcap", false),
            ("ä.pcap", false), ("a\u{0}.pcap", false), ("", false), ("@.pcap", false), ("[.pcap", false),
            ("`.pcap", false), ("{.pcap", false), (":.pcap", false), ("/.pcap", false), ("a,.pcap", false),
            (String(repeating: "x", count: 123) + ".pcap", true), (String(repeating: "x", count: 124) + ".pcap", false),
        ]
    )
    func checksNames(name: String, isName: Bool) {
        #expect(Recordings.isName(name) == isName)
    }

    @Test("Eight recordings run at once, and another one when one has ended")
    func boundsRecordings() async throws {
        try await Self.withFolder { admin, _ in
            for number in 1...8 { #expect(try await Self.start(admin, #"{"name":"\#(number).pcapng"}"#) == 201) }
            let refused = try await admin.call("POST", "/v1/recordings", #"{"name":"9.pcapng"}"#)
            #expect(refused.status == 409 && refused.text.contains("8 recordings run, the most at once"))
            #expect(try await admin.call("POST", "/v1/recordings/1.pcapng/stop").status == 200)
            #expect(try await Self.start(admin, #"{"name":"9.pcapng"}"#) == 201)
        }
    }

    @Test("Of twelve that are asked for at the same time eight are begun")
    func boundsRecordingsAtOnce() async throws {
        try await Self.withFolder { admin, _ in
            let begun = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...12 {
                    group.addTask { try await Self.start(admin, #"{"name":"\#(number).pcapng"}"#) }
                }
                return try await group.reduce(into: 0) { $0 += $1 == 201 ? 1 : 0 }
            }
            #expect(begun == 8)
        }
    }

    @Test("A recording that was stopped, sent or never was leaves no file open")
    func closesFiles() async throws {
        try await Self.withFolder { admin, folder in
            let started = try await admin.call("POST", "/v1/recordings", #"{"name":"a.pcapng"}"#).json()
            #expect(started["bytes"] == 0 && started["active"] == true && started["name"] == "a.pcapng")
            #expect(Self.openFiles(folder) == 1)
            #expect(try await admin.call("POST", "/v1/recordings/a.pcapng/stop").status == 200)
            #expect(Self.openFiles(folder) == 0)
            #expect(try await admin.call("GET", "/v1/recordings/a.pcapng/file").status == 200)
            let head = try await admin.call("HEAD", "/v1/recordings/a.pcapng/file")
            #expect(head.status == 200)
            #expect(head.header("content-disposition") == #"attachment; filename="a.pcapng""#)
            #expect(try await admin.call("POST", "/v1/recordings/b.pcapng/stop").status == 404)
            // What is no file is not opened for long, and a pipe blocks nothing.
            mkfifo("\(folder.path)/pipe.pcap", 0o600)
            mkdir("\(folder.path)/folder.pcap", 0o700)
            for name in ["pipe.pcap", "folder.pcap"] {
                #expect(try await admin.call("GET", "/v1/recordings/\(name)").status == 404)
                #expect(try await admin.call("GET", "/v1/recordings/\(name)/file").status == 404)
                #expect(try await Self.start(admin, #"{"name":"\#(name)","format":"pcap"}"#) == 409)
            }
            let deadline = Deadline()
            while Self.openFiles(folder) > 0, !deadline.isOver { await Task.yield() }
            #expect(Self.openFiles(folder) == 0)
        }
    }

    @Test("The folder's recordings are listed by name, with their size and the time of their last write")
    func lists() async throws {
        try await Self.withFolder { admin, folder in
            for (name, count) in [("b.pcap", 3), ("a.pcapng", 70_000), ("notes.txt", 1), (".hidden.pcap", 1)] {
                let path = try folder.file(name, Pattern.bytes(count))
                let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 123_456_789)]
                #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
            }
            func text(_ name: String, _ bytes: Int) -> String {
                #"{"name":"\#(name)","bytes":\#(bytes),"modified":"2023-11-14T22:13:20.123456789Z","active":false}"#
            }
            let all = try await admin.call("GET", "/v1/recordings")
            #expect(all.text == #"{"recordings":[\#(text("a.pcapng", 70_000)),\#(text("b.pcap", 3))]}"#)
            #expect(try await admin.call("GET", "/v1/recordings/b.pcap").text == text("b.pcap", 3))
            #expect(try await admin.call("GET", "/v1/recordings/a.pcapng/file").body == Pattern.bytes(70_000))
            #expect(try await admin.call("GET", "/v1/recordings/notes.txt/file").status == 404)
        }
    }

    @Test("A recording has the legs that it was asked for", arguments: [("client", 1), ("server", 1), ("both", 2)])
    func choosesLegs(legs: String, count: Int) async throws {
        let folder = try TemporaryFolder()
        let server = try TCPServer()
        try await withAdmin([server.route], configure: { try $0.keepCaptures(in: folder.path) }) { admin in
            #expect(try await Self.start(admin, #"{"name":"a.pcapng","legs":"\#(legs)"}"#) == 201)
            let endpoint = admin.relay.endpoint
            try await runThread {
                let (client, peer) = (try TCPPeer(to: endpoint), try server.accept())
                try client.send("once on each leg")
                #expect(try peer.receive(16).count == 16)
            }
            let stopped = try await admin.call("POST", "/v1/recordings/a.pcapng/stop").json()
            let file = try folder.read("a.pcapng")
            #expect(file.ranges(of: Array("once on each leg".utf8)).count == count)
            #expect(stopped["bytes"]?.intValue == file.count)
        }
    }

    @Test(
        "A body that is wrong starts nothing",
        arguments: [
            (#"{"name":1}"#, "'name' is a string"),
            (#"{"nme":"a.pcapng"}"#, "'nme' is not known; there is name, legs, format"),
            (#"{"legs":"all"}"#, "'legs' is one of both, client, server"),
            (#"{"format":"gz"}"#, "'format' is one of pcapng, pcap"), ("[]", "the body is no object"),
            (#"{"name":"a.pcap"}"#, "a recording's name has letters, digits, '.', '-' and '_', and ends with .pcapng"),
        ]
    )
    func refusesBodies(body: String, detail: String) async throws {
        try await Self.withFolder { admin, folder in
            let answer = try await admin.call("POST", "/v1/recordings", body)
            #expect(try answer.status == 400 && answer.json()["detail"]?.stringValue == detail)
            #expect(try await admin.call("GET", "/v1/recordings").text == #"{"recordings":[]}"#)
        }
    }
}
