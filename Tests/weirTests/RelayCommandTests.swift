import ArgumentParser
import Glibc
import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

@testable import weir

@Suite("The options of weir relay")
struct RelayCommandTests {
    private static let route = "tcp:0=127.0.0.1:9"

    private static func configuration(_ arguments: [String]) throws -> RelayConfiguration {
        try RelayCommand.parse([route] + arguments).configuration()
    }

    @Test("Without options a relay has the configuration's own defaults, and a loop for each processor")
    func defaults() throws {
        let (made, usual) = (try Self.configuration([]), RelayConfiguration(routes: [try Route(parsing: Self.route)]))
        #expect(made.routes == usual.routes && made.threads == Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        #expect(made.maxFlows == 10_000 && made.maxSessions == 10_000 && made.connectTimeout == .seconds(10))
        #expect(made.nameLifetime == .seconds(30) && made.keepalive == .seconds(60) && made.idleTimeout == nil)
        #expect(made.udpTimeout == .seconds(60) && !made.takesAnySource && made.echoWindow == 1_048_576)
        #expect(!made.expectsEcho && made.family == nil && made.egressPort == .kernel && !made.takesRoutes)
        let command = try RelayCommand.parse([Self.route])
        #expect(command.grace.duration == .seconds(5) && command.outputs.dissect)
        let outputs = command.outputs
        #expect(outputs.overflow == .wait && outputs.recordLegs == .both && outputs.records.mtu == 65_535)
        #expect(!outputs.ports && !outputs.logBytes)
        #expect(try RelayCommand.parse([Self.route, "--ports"]).outputs.ports)
    }

    @Test("Each option is the part of the configuration that it names")
    func options() throws {
        #expect(try Self.configuration(["--threads", "3"]).threads == 3)
        #expect(try Self.configuration(["--max-flows", "7"]).maxFlows == 7)
        #expect(try Self.configuration(["--max-sessions", "8"]).maxSessions == 8)
        #expect(try Self.configuration(["--connect-timeout", "1s"]).connectTimeout == .seconds(1))
        #expect(try Self.configuration(["--name-lifetime", "2s"]).nameLifetime == .seconds(2))
        #expect(try Self.configuration(["--keepalive", "3s"]).keepalive == .seconds(3))
        #expect(try Self.configuration(["--keepalive", "0"]).keepalive == nil)
        #expect(try Self.configuration(["--idle-timeout", "4s"]).idleTimeout == .seconds(4))
        #expect(try Self.configuration(["--idle-timeout", "0"]).idleTimeout == nil)
        #expect(try Self.configuration(["--udp-timeout", "5s"]).udpTimeout == .seconds(5))
        #expect(try Self.configuration(["--udp-from", "any"]).takesAnySource)
        #expect(try Self.configuration(["--echo-window", "9"]).echoWindow == 9)
        #expect(try Self.configuration(["--expect-echo"]).expectsEcho)
        #expect(try Self.configuration(["-4"]).family == .v4 && Self.configuration(["-6"]).family == .v6)
        #expect(try Self.configuration(["udp:0=h:1"]).routes.map(\.transport) == [.tcp, .udp])
    }

    @Test(
        "Options that exclude or need each other are refused with the reason",
        arguments: [
            ([], nil), (["--log", "-", "--show", "none"], nil), (["--log", "x", "--show", "hex"], nil),
            (
                ["--log", "-", "--show", "text"],
                "--log - writes to standard output, so --show text has no place there."
            ),
            (["--capture", "-"], "--capture takes a file or a folder; 'weir capture -w -' is for pipes."),
            (["--interface", "lo"], "--interface, --snaplen, --buffer and --immediate need --capture PATH."),
            (["--immediate"], "--interface, --snaplen, --buffer and --immediate need --capture PATH."),
            (["--immediate", "--interface", "lo", "--capture", "x"], nil),
            (["--record-legs", "client"], "--record-legs needs --record PATH."),
            (["--record-legs", "client", "--record", "x"], nil),
            (["--expect-echo", "--echo-window", "0"], "--expect-echo needs an --echo-window above 0."),
            (["--echo-window", "0"], nil), (["--expect-echo", "--echo-window", "1"], nil),
            (["--show", "messages"], nil), (["--show", "ports"], nil), (["--show", "text2pcap"], nil),
            (["--show", "messages", "--no-dissect"], "--show messages needs what --no-dissect turns off."),
            (
                ["--show", "text2pcap", "--ports"],
                "--show text2pcap prints nothing else, so --ports has no place there."
            ),
            (["--fields"], nil), (["--show", "text", "--fields"], nil),
            (["--show", "ports", "--fields"], "--fields is for --show hex, text and summary."),
            (["--log-bytes"], "--log-bytes needs --log FILE."), (["--log-bytes", "--log", "x"], nil),
            (["--max-flows", "0"], "--max-flows takes a number from 1 to 1000000, not 0."),
            (["--max-flows", "1"], nil), (["--max-flows", "1000000"], nil),
            (["--max-flows", "1000001"], "--max-flows takes a number from 1 to 1000000, not 1000001."),
            (["--max-sessions", "0"], "--max-sessions takes a number from 1 to 1000000, not 0."),
            (["--threads", "0"], "--threads takes a number from 1 to 1000000, not 0."),
            (["--threads", "1000001"], "--threads takes a number from 1 to 1000000, not 1000001."),
            (["--connect-timeout", "0"], "--connect-timeout takes a time above 0."),
            (["--udp-timeout", "0"], "--udp-timeout takes a time above 0."), (["--udp-timeout", "1ms"], nil),
            (["--rotate-size", "1M"], "--rotate-... needs --record PATH or --capture PATH."),
            (["--rotate-size", "1M", "--capture", "x"], nil), (["--proxies", "x", "--admin", "default"], nil),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(RelayCommand.self, [Self.route] + arguments) == reason)
    }

    @Test("A recording to standard output has that alone")
    func recordsAlone() throws {
        func reason(_ command: some ParsableCommand) -> String {
            var command = command
            do { try command.validate() } catch { return "\(error)" }
            return "none"
        }
        var (relay, logging) = (
            try RelayCommand.parse([Self.route]), try RelayCommand.parse([Self.route, "--log", "-"])
        )
        var echo = try EchoCommand.parse(["tcp:0"])
        // Parsed so, it would be refused on a terminal.
        relay.outputs.records.record = "-"
        logging.outputs.records.record = "-"
        echo.records.record = "-"
        #expect(reason(relay) == "none" && reason(echo) == "none")
        #expect(reason(logging).contains("--record - and --log - both write to standard output."))
        relay.outputs.shown.show = .hex
        echo.shown.show = .hex
        let shown = "--record - writes to standard output, so --show hex has no place there."
        #expect(reason(relay).contains(shown) && reason(echo).contains(shown))
    }

    @Test("Without a route it needs the control API, or lists toxics")
    func needsRoutes() {
        #expect(refusal(RelayCommand.self, [])?.hasPrefix("Give a ROUTE, as in tcp:9000=127.0.0.1:65432") == true)
        #expect(refusal(RelayCommand.self, ["--admin", "default"]) == nil)
        #expect(refusal(RelayCommand.self, ["--toxics"]) == nil)
    }

    @Test(
        "Records go to standard output, and to the log; the totals to standard error where nothing else shows them",
        arguments: [
            ([], ["TerminalSink standard output 1 wait"]),
            (["--overflow", "drop"], ["TerminalSink standard output 1 drop"]),
            (["--show", "none"], ["SummarySink standard error 2 wait"]),
            (
                ["--show", "none", "--ports"],
                ["SummarySink standard error 2 wait", "PortsSink standard output 1 wait"]
            ),
            (["--ports"], ["TerminalSink standard output 1 wait"]),
            (
                ["--log", "-"], ["SummarySink standard error 2 wait", "JSONLinesSink standard output 1 wait"]
            ),
            (
                ["--log", "-", "--ports", "--overflow", "drop"],
                [
                    "SummarySink standard error 2 drop", "PortsSink standard error 2 drop",
                    "JSONLinesSink standard output 1 drop",
                ]
            ),
        ]
    )
    func outputs(arguments: [String], expected: [String]) throws {
        let outputs = try Self.outputs(of: try RelayCommand.parse([Self.route] + arguments))
        #expect(outputs.map { "\(type(of: $0.sink)) \($0.name) \($0.descriptor) \($0.overflow)" } == expected)
    }

    private static func outputs(of command: RelayCommand) throws -> [SinkOutput] {
        try command.makeOutputs(try command.configuration(), FlowDetails(), admin: nil).makeAll()
    }

    @Test("A log is a file that is appended to, with bytes if they are wanted; one that cannot be made ends with 73")
    func log() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("log", Array("before\n".utf8))
        for (option, interest) in [([], Interest.chunks), (["--log-bytes"], .bytes)] {
            let command = try RelayCommand.parse(
                [Self.route, "--log", path, "--no-dissect", "--overflow", "drop"] + option
            )
            let outputs = try Self.outputs(of: command)
            #expect(outputs.map(\.name) == ["standard output", path] && outputs[1].path == path)
            #expect(outputs[1].sink.interest == interest && outputs[1].overflow == .drop)
            close(outputs[1].descriptor)
        }
        #expect(try folder.read("log") == Array("before\n".utf8))
        let missing = try RelayCommand.parse([Self.route, "--log", folder.path + "/none/log"])
        #expect {
            _ = try Self.outputs(of: missing)
        } throws: {
            ($0 as? Failure)?.code == .cannotCreate
        }
    }

    @Test("weir echo has a loop for each processor, and the sessions' time that it is given")
    func echo() throws {
        let usual = try EchoCommand.parse(["tcp:0", "udp:0"])
        #expect(usual.udpTimeout.duration == .seconds(60) && usual.grace.duration == .seconds(5))
        let made = try EchoCommand.parse(["tcp:0", "udp:0", "--udp-timeout", "3s"]).configuration()
        #expect(made.udpTimeout == .seconds(3) && made.threads == Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        #expect(made.routes.map(\.transport) == [.tcp, .udp] && made.routes.allSatisfy { $0.target == nil })
        #expect(refusal(EchoCommand.self, []) != nil)
        #expect(refusal(EchoCommand.self, ["tcp:0", "--rotate-size", "1M"])?.hasPrefix("--rotate-... needs") == true)
    }

    @Test("Other commands refuse what makes no sense as well")
    func others() {
        #expect(refusal(DemoCommand.self, ["--capture", "-"])?.hasPrefix("--capture takes a file or a folder") == true)
        #expect(refusal(DemoCommand.self, ["--rotate-size", "1M"])?.hasPrefix("--rotate-... needs") == true)
        #expect(refusal(DemoCommand.self, ["--rotate-size", "1M", "--capture", "x"]) == nil)
        for time in ["0", "3601s"] {
            #expect(
                refusal(ToxicHoldCommand.self, ["p", "--timeout", time]) == "--timeout takes a time from 1ms to 1h."
            )
        }
        #expect(refusal(ToxicHoldCommand.self, ["p", "--timeout", "1ms"]) == nil)
        #expect(refusal(ToxicHoldCommand.self, ["p", "--timeout", "1h"]) == nil)
        #expect((try? ToxicHoldCommand.parse(["p"]))?.timeout.duration == .seconds(300))
        let probability = "--toxicity takes a number from 0 to 1."
        for number in ["-0.1", "1.1"] {
            #expect(refusal(ToxicAddCommand.self, ["p", "noop", "--toxicity=\(number)"]) == probability)
            #expect(refusal(ToxicUpdateCommand.self, ["p", "noop", "--toxicity=\(number)"]) == probability)
        }
        for number in ["0", "1"] {
            #expect(refusal(ToxicAddCommand.self, ["p", "noop", "--toxicity=\(number)"]) == nil)
            #expect(refusal(ToxicUpdateCommand.self, ["p", "noop", "--toxicity=\(number)"]) == nil)
        }
        #expect(refusal(ToxicUpdateCommand.self, ["p", "noop"])?.hasPrefix("Say what is to change") == true)
        #expect(refusal(ToxicUpdateCommand.self, ["p", "noop", "a=1"]) == nil)
    }
}
