import Foundation
import Glibc
import Support
import Testing
import WeirWire

@Suite("weir ports", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct PortsCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func ports(_ arguments: [String]) async throws -> WeirProgram.Ended {
        try await WeirProgram(["ports"] + arguments).finish()
    }

    /// Relays so many flows, and ends.
    private func relay(_ count: Int, _ options: [String]) async throws -> WeirProgram.Ended {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--no-processes", "--threads", "1"] + options + [server.route])
        let endpoint = try program.listening()[0]
        for _ in 0..<count {
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            client.reset()
            _ = try? peer.receiveToEnd()
        }
        return try await program.stop()
    }

    @Test("A log and a recording of one run give the same ports, client and egress apart")
    func sources() async throws {
        let (log, capture) = (folder.path + "/log", folder.path + "/r.pcapng")
        _ = try await relay(30, ["--show", "none", "--log", log, "--record", capture])
        var all: [[String: [Int]]] = []
        for file in [log, capture] {
            let objects = try LogLines(try await ports(["--json", file]).output).objects
            #expect(objects.count == 2)
            var found: [String: [Int]] = [:]
            for object in objects {
                let statistics = try #require(object["statistics"] as? [String: Any])
                let keys = ["lowest", "highest", "distinct_ports"].map { statistics[$0] as? Int ?? -1 }
                found[object["side"] as? String ?? ""] = keys + [object["samples"] as? Int ?? -1]
            }
            all.append(found)
        }
        #expect(all[0] == all[1])
        #expect(all[0].keys.sorted() == ["client", "egress"])
        #expect(all[0]["client"]?.last == 30)
    }

    @Test("A log and a capture are read from a pipe as from a file, however they arrive")
    func pipes() async throws {
        let (log, capture) = (folder.path + "/log", folder.path + "/r.pcapng")
        _ = try await relay(30, ["--show", "none", "--log", log, "--record", capture])
        for file in ["log", "r.pcapng"] {
            let bytes = try folder.read(file)
            let whole = try await ports(["--json", folder.path + "/" + file])
            let piped = try await WeirProgram(["ports", "--json", "-"]).finish(sending: bytes)
            #expect(piped.output == whole.output && piped.errors == whole.errors && piped.status == 0)
            let slow = try WeirProgram(["ports", "--json", "-"])
            try slow.write(Array(bytes.prefix(1)))
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await slow.finish(sending: Array(bytes.dropFirst())).output == whole.output)
        }
    }

    @Test("Lines that are no record are counted and the first is named; a file of nothing else is refused with 65")
    func badLines() async throws {
        let log = folder.path + "/log"
        _ = try await relay(3, ["--show", "none", "--log", log])
        var lines = String(decoding: try folder.read("log"), as: UTF8.self).split(separator: "\n").map(String.init)
        let count = lines.count
        lines.insert("damaged", at: 2)
        lines.insert("{\"damaged\":", at: 4)
        let damaged = try folder.file("damaged", Array((lines.joined(separator: "\n") + "\n").utf8))
        let ended = try await ports([damaged])
        #expect(ended.status == 0)
        #expect(
            ended.errors
                == "weir: '\(damaged)': 2 of \(count + 2) lines are no record of a relay's --log, the first is line 3\n"
        )
        let other = try folder.file("other", Array("{\"name\":\"other\"}\n{}\n".utf8))
        let refused = try await ports([other])
        #expect(refused.status == 65 && refused.output.isEmpty)
        #expect(refused.errors == "weir: '\(other)': no line is a record of a relay's --log\n")
    }

    @Test("relay --ports shows a line a flow with its steps, and reports both sides at the end")
    func whileRelaying() async throws {
        let ended = try await relay(20, ["--show", "none", "--ports", "--verbose"])
        let lines = String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
        let flows = lines.filter { $0.contains(" tcp ports, client :") }
        #expect(flows.count == 20)
        #expect(flows.first?.hasSuffix(" first") == true)
        #expect(flows.dropFirst().allSatisfy { $0.contains(" from :") && $0.contains("egress :") })
        #expect(lines.contains { $0.hasPrefix("client 127.0.0.1 tcp, to the relay: ") })
        #expect(lines.contains { $0.hasPrefix("egress 127.0.0.1 tcp, from the relay: ") })
        // Both are this host's.
        let ranges = lines.filter { $0.contains(", in force (net.ipv4.ip_local_port_range of this host); seen ") }
        #expect(ranges.count == 2)
        let asked = try await relay(9, ["--show", "none", "--ports", "--verbose", "--egress-port", "40000-40999"])
        let report = String(decoding: asked.output, as: UTF8.self)
        #expect(report.contains("  range    40000-40999, in force (--egress-port); seen "))
        let probed = try await ports(["--probe", "tcp", "-n", "9"])
        let text = String(decoding: probed.output, as: UTF8.self)
        #expect(text.contains(", in force (net.ipv4.ip_local_port_range of this host); seen "))
    }

    @Test("A line of 3 MiB is counted as no record, and the others are read")
    func longLine() async throws {
        _ = try await relay(3, ["--show", "none", "--log", folder.path + "/log"])
        let records = try folder.read("log")
        let long = Array("{\"bytes\":\"".utf8) + [UInt8](repeating: 0x41, count: 3 << 20) + Array("\"}\n".utf8)
        let file = try folder.file("long", records + long + records)
        let ended = try await ports(["--json", file])
        let lines = records.count { $0 == 10 }
        #expect(
            ended.errors
                == "weir: '\(file)': 1 of \(2 * lines + 1) lines are no record of a relay's --log, the first is line "
                + "\(lines + 1)\n"
        )
        // The log stands there twice: its flows are the same.
        for object in try LogLines(ended.output).objects { #expect(object["samples"] as? Int == 3) }
    }

    @Test("relay --show ports prints a row for each flow with its ports and process, and a sentence for each address")
    func live() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--show", "ports", "--threads", "1", server.route])
        let endpoint = try program.listening()[0]
        for _ in 0..<10 {
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            try client.send("hello")
            _ = try peer.receive(5)
        }
        let ended = try await program.stop()
        let lines = String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 12)
        for (number, line) in lines.prefix(10).enumerated() {
            #expect(line.contains(" #\(number + 1) tcp 127.0.0.1:") && line.contains(" ⇒ 127.0.0.1:"), "\(line)")
            #expect(line.contains(" \(getpid()), ") || line.hasSuffix("process not known"), "\(line)")
        }
        #expect(lines[10].hasPrefix("client 127.0.0.1 tcp, to the relay: "))
        #expect(lines[11].hasPrefix("egress 127.0.0.1 tcp, from the relay: "))
    }

    @Test("The host's use of its range counts the ports that lead to a destination", .needsRoot)
    func host() async throws {
        let namespace = try NetworkNamespace()
        try namespace.run("sysctl", ["-qw", "net.ipv4.ip_local_port_range=40000 40199"])
        let server = try namespace.make { try TCPServer(at: Endpoint(address: .loopbackV4, port: 9000)) }
        var clients: [TCPPeer] = []
        for _ in 0..<30 { clients.append(try namespace.make { try TCPPeer(to: server.endpoint) }) }
        let program = try WeirProgram(["ports", "--host", "--json"], launcher: namespace.launcher)
        let object = try #require(try LogLines(try await program.finish().output).objects.first)
        #expect(object["range_low"] as? Int == 40_000 && object["cliff"] as? Int == 100)
        let destinations = try #require(object["destinations"] as? [[String: Any]])
        #expect(destinations.count == 1)
        #expect(destinations[0]["server"] as? String == "127.0.0.1:9000")
        #expect(destinations[0]["ports"] as? Int == 30 && destinations[0]["first_parity"] as? Int == 30)
        #expect(destinations[0]["share"] as? Double == 0.15)
        clients.removeAll()
    }

    @Test("Pictures are new files, whole, and never overwrite one", arguments: ["svg", "html"])
    func plot(_ kind: String) async throws {
        let path = folder.path + "/picture." + kind
        #expect(try await ports(["--probe", "tcp", "-n", "50", "--plot", path]).status == 0)
        let drawn = String(decoding: try folder.read("picture." + kind), as: UTF8.self)
        #expect(drawn.hasSuffix(kind == "svg" ? "</svg>\n" : "</html>\n"))
        #expect(try await ports(["--probe", "tcp", "-n", "50", "--plot", path]).status == 73)
    }

    @Test(
        "What makes no sense is said, and ends with 64",
        arguments: [
            [], ["--host", "--probe", "tcp"], ["--watch", "x"], ["--probe", "tcp", "-n", "0"], ["-n", "9", "x"],
            ["--probe", "tcp", "--style", "range"], ["--probe", "udp", "--style", "reuse"],
            ["--host", "--plot", "x.svg"],
            ["x", "--plot", "x.png"], ["--range", "9-1", "x"],
        ]
    )
    func usage(_ arguments: [String]) async throws {
        #expect(try await ports(arguments).status == 64)
    }

    @Test("A transport that there is none of is refused, and those that there are are named")
    func transport() async throws {
        let ended = try await ports(["--probe", "sctp"])
        #expect(ended.status == 64 && ended.errors.contains("provide one of 'tcp' and 'udp'"))
    }

    @Test("A file that is missing ends with 66, and the others are read")
    func missing() async throws {
        _ = try await relay(2, ["--show", "none", "--log", folder.path + "/log"])
        let ended = try await ports([folder.path + "/none", folder.path + "/log"])
        #expect(ended.status == 66)
        #expect(String(decoding: ended.output, as: UTF8.self).contains("too-few"))
    }
}
