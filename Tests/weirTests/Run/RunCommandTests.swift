import ArgumentParser
import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirSinks

@testable import weir

@Suite("The options of weir run")
struct RunCommandTests {
    @Test(
        "What follows the command's name belongs to the command, and '--' may come before it",
        arguments: [
            ([], []), (["--"], []), (["ls"], ["ls"]), (["ls", "--log", "x"], ["ls", "--log", "x"]),
            (["--", "ls", "-l"], ["ls", "-l"]), (["--", "--odd"], ["--odd"]), (["ls", "--help"], ["ls", "--help"]),
            (["ls", "--version"], ["ls", "--version"]), (["--wait", "ls", "--wait"], ["ls", "--wait"]),
            (["--log", "x", "ls", "--", "a"], ["ls", "--", "a"]), (["--", "--", "a"], ["--", "a"]),
            (["-o", "f", "--only", "tcp", "sh", "-c", "exit 3"], ["sh", "-c", "exit 3"]), (["ls", ""], ["ls", ""]),
        ]
    )
    func commands(arguments: [String], command: [String]) throws {
        #expect(try RunCommand.parse(arguments).command == command)
    }

    @Test("Without options a run shows all on standard error, and waits five seconds for flows")
    func defaults() throws {
        let command = try RunCommand.parse(["ls"])
        #expect(command.output == nil && command.grace.duration == .seconds(5) && !command.wait)
        let made = command.configuration()
        #expect(made.routes.isEmpty && made.takesRoutes && made.processes == nil && !made.expectsEcho)
        #expect(made.threads == Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) && made.echoWindow == 1_048_576)
        let settings = try command.watchSettings()
        #expect(settings.command == ["ls"] && settings.environment.isEmpty && settings.denial == .connectionRefused)
        #expect(settings.only.isEmpty && settings.except.isEmpty && settings.denied.isEmpty && settings.maps.isEmpty)
        let echo = try RunCommand.parse(["--expect-echo", "--echo-window", "9", "ls"]).configuration()
        #expect(echo.expectsEcho && echo.echoWindow == 9)
    }

    @Test(
        "What makes no sense is refused with the reason",
        arguments: [
            (["--log", "-"], "--log - has no place: standard output is the command's; give a file."),
            (["-o", "-"], "--output - has no place: standard output is the command's; give a file."),
            (["--bogus", "ls"], "Unknown option '--bogus'. A command that begins with '-' needs -- before it."),
            (["--capture", "x"], "Unknown option '--capture'. A command that begins with '-' needs -- before it."),
            (["--deny-with", "timeout"], "--deny-with needs --deny FILTER."),
            (["--deny", "*", "--deny-with", "timeout"], nil), (["--log-bytes"], "--log-bytes needs --log FILE."),
            (["--record-legs", "client"], "--record-legs needs --record PATH."),
            (["--rotate-size", "1M"], "--rotate-... needs --record PATH or --capture PATH."),
            (["--expect-echo", "--echo-window", "0"], "--expect-echo needs an --echo-window above 0."),
            (["--show", "messages", "--no-dissect"], "--show messages needs what --no-dissect turns off."),
            (["--proxies", "x"], "--admin-token-file, --proxies and --captures-folder need --admin HOST:PORT."),
            (["--log", "x", "--show", "hex", "--ports", "--wait", "--grace", "0"], nil),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(RunCommand.self, arguments) == reason)
    }

    @Test("A recording to standard output is refused")
    func recordsNotToOutput() throws {
        var command = try RunCommand.parse(["ls"])
        // Parsed so, it would be refused on a terminal.
        command.outputs.records.record = "-"
        #expect {
            try command.validate()
        } throws: {
            "\($0)".contains("--record - has no place: standard output is the command's; give a file.")
        }
    }

    @Test("Filters and maps reach the watcher, in their order")
    func filters() throws {
        let settings = try RunCommand.parse([
            "--only", "tcp:5432", "--only", "udp", "--except", "10.0.0.0/8", "--deny", "*.example.com", "--deny-with",
            "acces", "--map", "db:5432=127.0.0.1:15432", "ls",
        ]).watchSettings()
        #expect(settings.only.map(\.description) == ["tcp:5432", "udp"])
        #expect(settings.except.map(\.description) == ["10.0.0.0/8"])
        #expect(settings.denied.map(\.description) == ["*.example.com"] && settings.denial == ErrorNumber(EACCES))
        #expect(settings.maps.map(\.filter.description) == ["db:5432"])
    }

    @Test("Maps of names reach the watcher beside those of destinations, unless --except leaves name servers out")
    func nameMaps() throws {
        func read(_ options: [String]) throws -> WatchSettings {
            try RunCommand.parse(["--map", "db:5432=127.0.0.1:1", "--map", "Api=::1"] + options + ["ls"])
                .watchSettings()
        }
        for options in [[], ["--only", "udp:53"], ["--only", "tcp"], ["--except", "10.0.0.1"], ["--except", "tcp"]] {
            let settings = try read(options)
            #expect(settings.maps.count == 1 && settings.nameMaps.map { "\($0.host) \($0.address)" } == ["api ::1"])
        }
        for except in ["udp:53", "udp", "*", "50-60"] {
            #expect {
                _ = try read(["--except", except])
            } throws: { error in
                guard let failure = error as? Failure else { return false }
                return failure.code == .usage
                    && failure.message.hasPrefix("--except \(except) leaves out the DNS answers")
            }
        }
        #expect(throws: Failure.self) { try read(["--map", "\(String(repeating: "a", count: 64))=::1"]) }
    }

    @Test(
        "--deny-with names an error",
        arguments: [("refused", 111), ("unreachable", 101), ("timeout", 110), ("acces", 13)] as [(String, Int32)]
    )
    func denials(name: String, number: Int32) throws {
        let command = try RunCommand.parse(["--deny", "tcp", "--deny-with", name, "ls"])
        #expect(try command.watchSettings().denial.rawValue == number)
    }

    @Test("A filter or map that is wrong ends with 64", arguments: ["--only", "--except", "--deny", "--map"])
    func wrongFilters(option: String) throws {
        let command = try RunCommand.parse([option, "0", "ls"])
        #expect {
            _ = try command.watchSettings()
        } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.code == .usage && failure.message.hasPrefix("\(option): '0' is not a ")
        }
    }

    @Test(
        "Served ports reach the watcher",
        arguments: [
            ([], []), (["80"], [80]), (["80,8080"], [80, 8080]), (["1,65535", "8080"], [1, 65535, 8080]),
        ] as [([String], [UInt16])]
    )
    func served(texts: [String], ports: [UInt16]) throws {
        let command = try RunCommand.parse(texts.flatMap { ["--serve", $0] } + ["ls"])
        #expect(try command.watchSettings().servedPorts == ports)
    }

    @Test(
        "A served port that is wrong ends with 64",
        arguments: [
            (["0"], "'0' is no port from 1 to 65535"), (["99999"], "'99999' is no port from 1 to 65535"),
            (["65536"], "'65536' is no port from 1 to 65535"), (["a"], "'a' is no port from 1 to 65535"),
            ([""], "'' is no port from 1 to 65535"), (["80,"], "'' is no port from 1 to 65535"),
            (["80, 81"], "' 81' is no port from 1 to 65535"), (["+80"], "'+80' is no port from 1 to 65535"),
            (["tcp:80"], "'tcp:80' is no port from 1 to 65535"), (["80,81,80"], "port 80 is named twice"),
            (["80", "080"], "port 80 is named twice"), (["99999999999999999999"], nil), (["٣"], nil),
        ] as [([String], String?)]
    )
    func wrongPorts(texts: [String], problem: String?) throws {
        let command = try RunCommand.parse(texts.flatMap { ["--serve", $0] } + ["ls"])
        #expect {
            _ = try command.watchSettings()
        } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.code == .usage
                && failure.message == "--serve: \(problem ?? "'\(texts[0])' is no port from 1 to 65535")"
        }
    }

    @Test("Without a command it starts the user's shell")
    func shell() throws {
        let settings = try RunCommand.parse([]).watchSettings()
        #expect(settings.command == [RunShell().path] && settings.environment.first == "WEIR_RUN=1")
    }

    @Test("Toxics are for every destination, and have no route's number")
    func toxics() throws {
        func read(_ texts: [String], _ scenario: Scenario? = nil) throws -> [String] {
            let options = try ToxicOptions.parse(texts.flatMap { ["--toxic", $0] } + ["--seed", "7"])
            let (toxics, seed) = try options.destinationToxics(scenario)
            #expect(seed == 7)
            return toxics.map { "\($0.type) \($0.direction)" }
        }
        #expect(try read([]) == [])
        #expect(
            try read(["latency,both,latency=1", "loss,up"]) == [
                "latency upstream", "latency downstream", "loss upstream",
            ]
        )
        let step = Scenario.Step(at: .zero, route: 0, .remove(name: "x"))
        for (texts, scenario, code) in [
            (["noop,route=1"], nil, .usage), (["noop", "noop"], nil, .usage), (["noop,route=3"], nil, .usage),
            ([], Scenario([step]), .dataError),
        ] as [([String], Scenario?, weir.ExitStatus)] {
            #expect {
                _ = try read(texts, scenario)
            } throws: {
                ($0 as? Failure)?.code == code
            }
        }
    }

    @Test("What is shown goes to standard error or to a file, with the totals where nothing else is shown")
    func places() throws {
        let folder = try TemporaryFolder()
        let file = try RecordPlace(appendingTo: folder.path + "/records")
        defer { close(file.descriptor) }
        for (place, name) in [(RecordPlace.standardError, "standard error"), (file, folder.path + "/records")] {
            for (arguments, sinks) in [
                ([], ["TerminalSink"]), (["--ports"], ["TerminalSink"]), (["--show", "none"], ["SummarySink"]),
                (["--show", "none", "--ports"], ["SummarySink", "PortsSink"]),
            ] as [([String], [String])] {
                let command = try RunCommand.parse(arguments + ["ls"])
                let outputs = RelayOutputs(
                    command.outputs,
                    command.configuration(),
                    FlowDetails(),
                    admin: nil,
                    place: place
                )
                let made = try outputs.makeAll()
                #expect(made.map { "\(type(of: $0.sink))" } == sinks)
                #expect(made.allSatisfy { $0.name == name && $0.descriptor == place.descriptor })
            }
        }
    }
}
