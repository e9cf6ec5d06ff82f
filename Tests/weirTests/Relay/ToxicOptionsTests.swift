import ArgumentParser
import Foundation
import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay

@testable import weir

@Suite("The toxics that options put on routes")
struct ToxicOptionsApplyTests {
    /// Applies options to a relay with a TCP and a UDP route; returns each route's toxics, and the seed.
    private static func applied(
        _ arguments: [String],
        _ scenario: Scenario? = nil
    ) throws -> (toxics: [Int: [String]], seed: UInt64) {
        let routes = try ["tcp:0=127.0.0.1:9", "udp:0=127.0.0.1:9"].map { try Route(parsing: $0) }
        var configuration = RelayConfiguration(routes: routes)
        try ToxicOptions.parse(arguments).apply(to: &configuration, scenario)
        return (configuration.toxics.mapValues { $0.map { "\($0.name) \($0.direction)" } }, configuration.seed)
    }

    private static func toxics(_ arguments: [String]) throws -> [Int: [String]] {
        try applied(arguments.flatMap { ["--toxic", $0] }).toxics
    }

    @Test("A toxic is on every route to which it can do something, or on the one that it names, in the order given")
    func routes() throws {
        #expect(try Self.toxics([]) == [0: [], 1: []])
        let noop = "noop_downstream downstream"
        #expect(try Self.toxics(["noop"]) == [0: [noop], 1: [noop]])
        #expect(try Self.toxics(["noop,route=1"]) == [0: [noop], 1: []])
        #expect(try Self.toxics(["noop,route=2"]) == [0: [], 1: [noop]])
        #expect(try Self.toxics(["noop,up,route=2", "noop,route=2"]) == [0: [], 1: ["noop_upstream upstream", noop]])
        #expect(
            try Self.toxics(["noop,both,route=1"]).values.first { !$0.isEmpty }
                == ["noop_upstream upstream", "noop_downstream downstream"]
        )
        #expect(try Self.toxics(["loss,up"]) == [0: [], 1: ["loss_upstream upstream"]])
    }

    @Test("The seed of the options goes before that of the scenario, and without both it is a new one each time")
    func seeds() throws {
        let scenario = Scenario([], seed: 12)
        #expect(try Self.applied(["--seed", "7"], scenario).seed == 7)
        #expect(try Self.applied(["--seed", "0"], scenario).seed == 0)
        #expect(try Self.applied([], scenario).seed == 12)
        #expect(try Self.applied([]).seed != Self.applied([], Scenario([])).seed)
    }

    @Test("A wrong toxic ends with 64, a scenario that does not fit the toxics with 65 and its file's name")
    func refuses() throws {
        func failure(_ arguments: [String], _ scenario: Scenario? = nil) -> String {
            do {
                _ = try Self.applied(arguments, scenario)
                return "taken"
            } catch let failure as Failure {
                return "\(failure.code.rawValue) \(failure.message)"
            } catch {
                return "\(error)"
            }
        }
        #expect(failure(["--toxic", "noop,route=3"]).hasPrefix("64 there is no route 3"))
        #expect(failure(["--toxic", "noop", "--toxic", "noop"]).hasPrefix("64 there is a toxic with the name"))
        let removes = Scenario([Scenario.Step(at: .seconds(1), .remove(name: "noop_downstream"))])
        #expect(failure([], removes).hasPrefix("65 step 1 of the scenario, at 1.0 s: "))
        #expect(failure(["--scenario", "x.yaml"], removes).hasPrefix("65 x.yaml: step 1 of the scenario"))
        #expect(failure(["--toxic", "noop"], removes) == "taken")
    }
}

@Suite("weir relay under toxics", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct ToxicOptionsTests {
    @Test("--toxics lists every toxic with every setting, and needs no route")
    func table() async throws {
        let ended = try await WeirProgram(["relay", "--toxics"]).finish()
        let text = String(decoding: ended.output, as: UTF8.self)
        #expect(ended.status == 0 && ended.errors == "")
        for type in Toxics.all {
            #expect(text.contains("\n\(type.name)") || text.hasPrefix(type.name))
            #expect(text.contains(type.summary))
            for field in type.fields { #expect(text.contains("    \(field.name) (") && text.contains(field.help)) }
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test(
        "What is wrong is one line with the field and the reason",
        arguments: [
            (["--toxic", "latency,down,latency=-1"], 64, "weir: toxic 'latency': latency takes a number from 0"),
            (["--toxic", "lag"], 64, "weir: there is no toxic 'lag'; the types are latency, "),
            (["--toxic", "loss,up"], 64, "weir: the toxic 'loss' does nothing to tcp"),
            (
                ["--toxic", "noop", "--toxic", "noop"], 64,
                "weir: there is a toxic with the name 'noop_downstream' already"
            ),
            (["--toxic", "noop,route=2"], 64, "weir: there is no route 2"),
            (["--scenario", "/no/such/file"], 66, "weir: cannot read '/no/such/file': no such file or folder"),
            (["--scenario", "/"], 66, "weir: cannot read '/': folder, not file"),
        ] as [([String], Int32, String)]
    )
    func wrong(options: [String], status: Int32, line: String) async throws {
        let ended = try await WeirProgram(["relay"] + options + ["tcp:0=127.0.0.1:9"]).finish()
        #expect(ended.status == status)
        #expect(ended.errors.hasPrefix(line), "\(ended.errors)")
        #expect(ended.errors.split(separator: "\n").count == 1)
    }

    @Test(
        "A scenario that is none is refused with its line",
        arguments: [
            ("steps: [", "is no YAML"), ("", "it is empty"), ("seed: 1\n", "no list 'steps'"),
            (
                "steps:\n  - {at: 5s, add: 'latency,down,latency=x'}\n",
                "line 2: toxic 'latency': latency takes a whole number"
            ),
            ("steps:\n  - {at: soon, remove: x}\n", "line 2: a time is written"),
            ("steps:\n  - {at: 1s, remove: x, clear: true}\n", "line 2: a step has one of"),
            (
                "steps:\n  - {at: 1s, remove: x}\n",
                "scenario.yaml: line 2: step 1 of the scenario, at 1.0 s: there is no toxic with the name 'x'"
            ),
            ("repeat: 1s\nsteps:\n  - {at: 1s, clear: true}\n", "at or behind the end of a repetition"),
            ("color: red\nsteps: []\n", "there is no key 'color'"),
        ]
    )
    func badScenario(text: String, reason: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("scenario.yaml", Array(text.utf8))
        let ended = try await WeirProgram(["relay", "--scenario", path, "tcp:0=127.0.0.1:9"]).finish()
        #expect(ended.status == 65)
        #expect(ended.errors.contains(reason), "\(ended.errors)")
    }

    @Test("The dump shows what went on, and what was done to it; --show-original what came, too")
    func dump() async throws {
        let server = try TCPServer()
        let options = [
            "--toxic", "replace,up,find=hello,with=bye", "--show-original", "--show", "text", "--seed", "7",
            "--verbose",
        ]
        let program = try WeirProgram(["relay"] + options + [server.route])
        let endpoint = try program.listening()[0]
        #expect(try program.readErrorLine() == "seed 7")
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("say hello.")
        client.finish()
        #expect(try peer.receiveToEnd().bytes == Array("say bye.".utf8))
        peer.finish()
        _ = try client.receiveToEnd()
        let text = String(decoding: try await program.stop().output, as: UTF8.self)
        #expect(text.contains(" #1 ▲ toxic 'replace_upstream' acts\n"))
        #expect(text.contains(" #1 ▲ received 10 B @0\n  | say hello.\n"))
        #expect(text.contains("replaced 5 bytes @4 by 'replace_upstream'\n  | say bye.\n"))
        #expect(text.contains(" #1 ▲ end forwarded\n"))
    }

    @Test("The log says what toxics did")
    func log() async throws {
        let server = try UDPPeer()
        let folder = try TemporaryFolder()
        let log = folder.path + "/log"
        let options = [
            "--toxic", "loss,up,rate=1,match.prefix=lost", "--toxic", "duplicate,up,rate=1,copies=2", "--log", log,
            "--log-bytes", "--show", "none", "--seed", "1",
            // One loop reads the datagrams in their order: once the second has come, the first was read.
            "--threads", "1",
        ]
        let program = try WeirProgram(["relay"] + options + [try server.route])
        let endpoint = try program.listening()[0]
        let (lost, twice) = (try UDPPeer(to: endpoint), try UDPPeer(to: endpoint))
        try lost.send("lost")
        try twice.send("thrice")
        for _ in 0..<3 { #expect(String(decoding: try server.receive().bytes, as: UTF8.self) == "thrice") }
        #expect(try await program.stop().status == 0)
        let lines = String(decoding: try folder.read("log"), as: UTF8.self).split(separator: "\n")
        for line in lines { #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil) }
        func count(_ parts: String...) -> Int { lines.count { line in parts.allSatisfy { line.contains($0) } } }
        #expect(
            count(#""event":"toxic""#, #""toxic":"duplicate_upstream","type":"duplicate","effect":"met","acts":true"#)
                == 2
        )
        #expect(count(#""event":"toxic""#, #""toxic":"loss_upstream""#) == 1)
        #expect(
            count(#""event":"dropped""#, #""length":4,"datagrams":1,"reason":"toxic","toxic":"loss_upstream""#) == 1
        )
        #expect(count(#""event":"data""#, #""held_ns":"#, #""change":"duplicated","count":3"#) == 3)
        #expect(count(#""event":"received""#) == 0)
    }

    @Test("A scenario adds, changes and removes toxics at its times")
    func scenario() async throws {
        let server = try TCPServer()
        let folder = try TemporaryFolder()
        let text = """
            seed: 12
            steps:
              - {at: 100ms, add: {type: replace, direction: up, name: swap, attributes: {find: hello, with: 'bye'}}}
              - at: 1s
                change: {name: swap, attributes: {with: farewell}}
              - {at: 2s, remove: swap}
            """
        let path = try folder.file("scenario.yaml", Array(text.utf8))
        let program = try WeirProgram(["relay", "--show", "summary", "--scenario", path, server.route])
        let endpoint = try program.listening()[0]
        #expect(try program.readErrorLine() == "seed 12")
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        for (line, expected) in [
            ("swap added, at 0.1 s", "bye"), ("swap changed, at 1.0 s", "farewell"),
            ("swap removed, at 2.0 s", "hello"),
        ] {
            #expect(try program.readErrorLine() == "weir: scenario: \(line)")
            try client.send("hello")
            #expect(String(decoding: try peer.receive(expected.utf8.count), as: UTF8.self) == expected)
        }
        client.finish()
        peer.finish()
        let output = String(decoding: try await program.stop().output, as: UTF8.self)
        #expect(output.contains("toxic 'swap' changed, and acts"))
        #expect(output.contains("toxic 'swap' removed"))
    }

    @Test("text2pcap reads the dump of a relay under toxics, whatever they are called", .needsProgram("text2pcap"))
    func text2pcap() async throws {
        let server = try TCPServer()
        let folder = try TemporaryFolder()
        let dump = folder.path + "/dump"
        let options = [
            "--toxic", "slicer,up,average_size=5,name=deadbeef", "--toxic",
            "replace,up,find=a,with=bb,name=0000 0010 ff",
            "--toxic", "limit_data,up,bytes=20,name=face", "--show", "text2pcap",
        ]
        let program = try WeirProgram(["relay"] + options + [server.route], output: .file(dump))
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        try client.send("banana banana banana")
        let came = try peer.receiveToEnd().bytes
        #expect(came.count == 20)
        peer.close()
        _ = try client.receiveToEnd()
        client.close()
        #expect(try await program.stop().status == 0)
        let result = try ChildProgram.run(
            "text2pcap",
            ["-T", "1,2", "-t", "%H:%M:%S.%f", dump, folder.path + "/out.pcapng"]
        )
        #expect(result.status == 0)
        let payloads = try CaptureWalk.tcpPayloads(try folder.read("out.pcapng"))
        #expect(Array(payloads.joined()) == came)
    }
}
