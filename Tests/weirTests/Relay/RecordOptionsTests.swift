import ArgumentParser
import Foundation
import Glibc
import Support
import Testing
import WeirSinks
import WeirWire

@testable import weir

@Suite("What --record takes")
struct RecordOptionsRefusalTests {
    private static let needsRecord = "--record-format and --mtu need --record PATH."
    private static let range = "--mtu takes a number from 576 to 65535."

    @Test(
        "Options that need a capture, and sizes that no packet has, are refused with the reason",
        arguments: [
            ([], nil), (["--mtu", "65535"], nil), (["--record-format", "pcapng"], nil),
            (["--mtu", "1500"], needsRecord), (["--record-format", "pcap"], needsRecord),
            (["--record", "x", "--record-format", "pcap", "--mtu", "1500"], nil),
            (["--record", "x", "--mtu", "576"], nil), (["--record", "x", "--mtu", "575"], range),
            (["--record", "x", "--mtu", "65535"], nil), (["--record", "x", "--mtu", "65536"], range),
            (["--record", "-", "--rotate-size", "1M"], "--record - is one stream: --rotate-... needs a PATH."),
            (["--record", "x", "--rotate-size", "1M"], nil),
            (["--record-tls", "cipher"], "--record-tls needs --record PATH."), (["--record-tls", "plain"], nil),
            (["--record", "x", "--record-tls", "cipher"], nil),
            (["--record", "x", "--record-tls", "plain", "--record-format", "pcap"], nil),
            (
                ["--record", "x", "--record-tls", "cipher", "--record-format", "pcap"],
                "--record-tls cipher needs pcapng: pcap has no place for secrets."
            ),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(RecordOptions.self, arguments) == reason)
    }

    /// Returns the message of the error that a body throws.
    private static func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return RecordOptions.message(for: error)
        }
    }

    @Test("Files that begin anew need a capture of either kind")
    func files() throws {
        let refused = "--rotate-... needs --record PATH or --capture PATH."
        for (arguments, capture, reason) in [
            ([], nil, nil), (["--rotate-size", "1M"], nil, refused), (["--rotate-every", "1h"], nil, refused),
            (["--rotate-size", "1M"], "x", nil), (["--rotate-size", "1M", "--record", "x"], nil, nil),
        ] as [([String], String?, String?)] {
            let options = try RecordOptions.parse(arguments)
            #expect(Self.message { try options.requireFiles(orCapture: capture) } == reason)
        }
    }

    @Test("A capture on standard output has that for itself")
    func standardOutput() throws {
        var options = try RecordOptions.parse(["--record", "x"])
        #expect(!options.takesStandardOutput)
        #expect(Self.message { try options.requireStandardOutput(for: .hex, log: "-") } == nil)
        options.record = "-"
        #expect(options.takesStandardOutput)
        for (show, log, reason) in [
            (nil, nil, nil), (TerminalSink.Show.none, nil, nil), (nil, "x", nil),
            (nil, "-", "--record - and --log - both write to standard output."),
            (.hex, nil, "--record - writes to standard output, so --show hex has no place there."),
            (.summary, "x", "--record - writes to standard output, so --show summary has no place there."),
        ] as [(TerminalSink.Show?, String?, String?)] {
            #expect(Self.message { try options.requireStandardOutput(for: show, log: log) } == reason)
        }
    }
}

@Suite("The options of --record", .serialized, .tags(.network, .capture), .timeLimit(.minutes(2)))
struct RecordOptionsTests {
    private static let route = "tcp:0=127.0.0.1:9"

    @Test(
        "Refuses with 64 what contradicts itself",
        arguments: [
            ["--record", "-", "--log", "-"], ["--record", "-", "--show", "hex"],
            ["--record", "-", "--rotate-size", "1M"],
            ["--rotate-size", "1M"], ["--rotate-keep", "3"], ["--mtu", "1500"], ["--record-format", "pcap"],
            ["--record-legs", "client"], ["--record", "x", "--rotate-keep", "3"],
            ["--record", "x", "--rotate-size", "1M", "--rotate-keep", "0"], ["--record", "x", "--rotate-size", "1023"],
            ["--record", "x", "--rotate-every", "999ms"], ["--record", "x", "--mtu", "575"],
            ["--record", "x", "--mtu", "65536"], ["--record", "x", "--record-legs", "neither"],
            ["--record", "x", "--record-format", "pcapn"],
            ["--record", "x", "--record-format", "pcap", "--record-tls", "cipher"], ["--record-tls", "cipher"],
        ]
    )
    func refuses(options: [String]) async throws {
        let ended = try await WeirProgram(["relay"] + options + [Self.route]).finish()
        #expect(ended.status == 64)
        #expect(ended.output == [] && ended.errors.hasPrefix("Error: "))
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }

    @Test("Ends with 73 where the file is there, and leaves that alone")
    func exists() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("a.pcapng", [1, 2, 3])
        let ended = try await WeirProgram(["relay", "--record", path, Self.route]).finish()
        #expect(ended.status == 73)
        #expect(
            ended.errors
                == "weir: cannot write to '\(path)': file exists (EEXIST); choose another name: no file is overwritten\n"
        )
        #expect(try folder.read("a.pcapng") == [1, 2, 3])
    }

    @Test("Leaves no file behind where the relay cannot start")
    func noFileWithoutRelay() async throws {
        let folder = try TemporaryFolder()
        let server = try TCPServer()
        let taken = "tcp:\(server.endpoint.port)=127.0.0.1:9"
        let ended = try await WeirProgram(["relay", "--record", folder.path, taken]).finish()
        #expect(ended.status == 69)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    /// Has a few bytes echoed through a relay.
    private func talk(_ relay: RecordedRelay, _ server: TCPServer) throws {
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        try client.send(Pattern.bytes(5000))
        #expect(try peer.receive(5000) == Pattern.bytes(5000))
        peer.finish()
        client.finish()
        #expect(try client.receiveToEnd().bytes == [])
    }

    @Test("Records one leg alone", .needsProgram("tshark"), arguments: ["client", "server"])
    func legs(leg: String) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, ["--record-legs", leg])
        try talk(relay, server)
        let capture = try await relay.finish()
        #expect(capture.interfaces.map(\.name) == ["weir:\(leg)"])
        #expect(try Tshark.follow(relay.path, "tcp", 0)[0].bytes == Pattern.bytes(5000))
        try relay.expectComplete()
    }

    @Test("Cuts packets at --mtu", .needsProgram("tshark"))
    func mtu() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, ["--mtu", "1500"])
        try talk(relay, server)
        let capture = try await relay.finish()
        #expect(capture.packets.map(\.internetLength).max() == 1500)
        try relay.expectStreams(up: Pattern.bytes(5000), down: [])
        try relay.expectComplete()
    }

    @Test("Records as pcap", .needsProgram("tshark"))
    func pcap() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, ["--record-format", "pcap"])
        try talk(relay, server)
        let capture = try await relay.finish()
        guard case .pcapHeader(let header)? = capture.blocks.first else { throw HelperError("no pcap") }
        #expect(header.isNanoseconds)
        try relay.expectStreams(up: Pattern.bytes(5000), down: [])
        try relay.expectComplete()
    }

    @Test("Names a server's address as the route does", .needsProgram("tshark"))
    func names() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay("tcp:0=localhost:\(server.endpoint.port)", ["-4"])
        try talk(relay, server)
        let capture = try await relay.finish()
        #expect(capture.names.map(\.records) == [[.address(.loopbackV4, names: ["localhost"])]])
        let names = try Tshark.fields(relay.path, ["ip.dst_host"], where: "tcp.dstport == \(server.endpoint.port)")
        #expect(Set(names) == [["127.0.0.1"]] || Set(names) == [["localhost"]])
    }

    @Test("Writes to a pipe at once: the head before anything is relayed, a chunk while its flow is open")
    func pipe() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--record", "-", server.route])
        let endpoint = try program.listening()[0]
        // The head comes before anything is relayed: Wireshark begins with it.
        #expect(try program.readOutput(4) == [0x0a, 0x0d, 0x0d, 0x0a])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        // What was relayed comes while the flow is open.
        _ = try program.readOutput(through: "hello")
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("total: 1 tcp flow"))
    }

    @Test("Is read by tshark from a pipe", .needsProgram("tshark"))
    func live() async throws {
        let folder = try TemporaryFolder()
        let (path, errors) = (folder.path + "/out", folder.path + "/errors")
        let weir = try WeirProgram.path()
        let command =
            "'\(weir)' demo --record - 2>'\(errors)' | tshark -r - -T fields -e frame.interface_name >'\(path)' 2>/dev/null"
        #expect(try ChildProgram.run("sh", ["-c", command]).status == 0)
        let names = String(decoding: try folder.read("out"), as: UTF8.self).split(separator: "\n")
        #expect(names.count == 74 && names.filter { $0 == "weir:client" }.count == 37)
        #expect(
            String(decoding: try folder.read("errors"), as: UTF8.self).contains("total: 3 tcp flows, 2 udp flows")
        )
    }

    @Test("Records what an echo server receives and sends back", .needsProgram("tshark"))
    func echo() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/echo.pcapng"
        let program = try WeirProgram(["echo", "tcp:0", "udp:0", "--record", path])
        let endpoints = try program.listening(2)
        let stream = try TCPPeer(to: endpoints[0])
        let bytes = Pattern.bytes(100_000)
        let sending = try Background { try stream.send(bytes) }
        #expect(try stream.receive(bytes.count) == bytes)
        try sending.value()
        stream.finish()
        #expect(try stream.receiveToEnd().bytes == [])
        let datagrams = try UDPPeer(to: endpoints[1])
        for size in [0, 9000] {
            try datagrams.send(Pattern.bytes(size))
            #expect(try datagrams.receive().bytes == Pattern.bytes(size))
        }
        let ended = try await program.stop()
        #expect(ended.status == 0 && ended.errors.hasSuffix("recorded \(path)\n"))
        let capture = try SeenCapture(try TemporaryFolder.read(path))
        #expect(capture.error == nil && capture.interfaces.map(\.name) == ["weir:client"])
        #expect(try Tshark.complaints(path).isEmpty && Tshark.isInTimeOrder(path))
        #expect(try Tshark.follow(path, "tcp", 0).map(\.bytes) == [bytes, bytes])
        #expect(try Tshark.fields(path, ["udp.length"], where: "udp") == [["8"], ["8"], ["9008"], ["9008"]])
        #expect(try Set(Tshark.fields(path, ["tcp.completeness"], where: "tcp")) == [["31"]])
    }

    @Test("Begins files anew, each of which tshark reads alone", .needsProgram("tshark"))
    func rotation() async throws {
        let folder = try TemporaryFolder()
        let server = try TCPServer()
        let path = folder.path + "/a.pcapng"
        let program = try WeirProgram(
            ["relay", "--show", "none", "--record", path, "--rotate-size", "100k", "--rotate-keep", "3", server.route]
        )
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        for _ in 0..<50 {
            try client.send(Pattern.bytes(10_000))
            #expect(try peer.receive(10_000) == Pattern.bytes(10_000))
        }
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        let ended = try await program.stop()
        let recorded = ended.errors.split(separator: "\n").filter { $0.hasPrefix("recorded ") }.map {
            String($0.dropFirst(9))
        }
        #expect(ended.status == 0 && recorded.count > 5 && recorded == recorded.sorted())
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(left.map { folder.path + "/" + $0 } == recorded.suffix(3))
        for path in recorded.suffix(3) {
            #expect(try Tshark.complaints(path).isEmpty && Tshark.isInTimeOrder(path))
            let capture = try SeenCapture(try TemporaryFolder.read(path))
            #expect(capture.error == nil && capture.statistics.count == 2)
            #expect(try Tshark.tcpdumpCount(path) == capture.packets.count)
            #expect(capture.packets.filter { !$0.comments.isEmpty }.count == 2)
        }
    }
}
