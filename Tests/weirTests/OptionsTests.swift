import ArgumentParser
import Glibc
import Support
import Testing
import WeirAnalysis
import WeirCapture
import WeirRelay
import WeirSinks
import WeirWire

@testable import weir

@Suite("Values of options")
struct OptionsTests {
    @Test(
        "A time is a number with a unit, or of seconds",
        arguments: [
            ("10s", .seconds(10)), ("500ms", .milliseconds(500)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
            ("250us", .microseconds(250)), ("7", .seconds(7)), ("0", .zero), ("1.5s", .milliseconds(1500)),
            ("0.001", .milliseconds(1)), ("8000000000s", .seconds(8_000_000_000)), ("9000000000s", nil), ("", nil),
            ("s", nil), ("ms", nil), ("-1s", nil), ("+1s", nil), (".5s", nil), ("x", nil), ("1x", nil), ("1 s", nil),
            ("1d", nil), ("nan", nil), ("1e400", nil), ("2mm", nil),
        ] as [(String, Duration?)]
    )
    func readsTimes(text: String, duration: Duration?) {
        #expect(DurationArgument(argument: text)?.duration == duration)
    }

    @Test(
        "A time is shown in whole seconds, or else in milliseconds",
        arguments: [
            (Duration.zero, "0s"), (.seconds(5), "5s"), (.seconds(3600), "3600s"), (.milliseconds(1500), "1500ms"),
            (.milliseconds(999), "999ms"), (.milliseconds(1001), "1001ms"), (.milliseconds(2000), "2s"),
            (.microseconds(1500), "1ms"),
        ]
    )
    func showsTimes(duration: Duration, text: String) {
        #expect(DurationArgument(duration).description == text)
        #expect(DurationArgument(duration).defaultValueDescription == text)
    }

    @Test(
        "A size is a number, or one of a power of 1024",
        arguments: [
            ("0", 0), ("4096", 4096), ("64k", 65_536), ("64K", 65_536), ("1M", 1_048_576), ("2G", 2_147_483_648),
            ("8589934591G", 9_223_372_035_781_033_984), ("8589934592G", nil), ("9223372036854775807", .max),
            ("9223372036854775808", nil), ("", nil), ("k", nil), ("-1", nil), ("1.5k", nil), ("1T", nil), ("1kk", nil),
            ("1m", nil), ("+1", nil),
        ] as [(String, Int?)]
    )
    func readsSizes(text: String, bytes: Int?) {
        #expect(ByteCountArgument(argument: text)?.bytes == bytes)
    }

    @Test(
        "A size is shown in whole megabytes, or else in bytes",
        arguments: [(0, "0"), (1, "1"), (4096, "4096"), (1_048_576, "1M"), (1_048_577, "1048577"), (3_145_728, "3M")]
    )
    func showsSizes(bytes: Int, text: String) {
        #expect(ByteCountArgument(bytes).defaultValueDescription == text)
    }

    @Test("One family of addresses may be chosen, not both")
    func choosesFamily() throws {
        #expect(try FamilyOptions.parse([]).family == nil)
        #expect(try FamilyOptions.parse(["-4"]).family == .v4 && FamilyOptions.parse(["-6"]).family == .v6)
        #expect(refusal(FamilyOptions.self, ["-4", "-6"]) == "-4 and -6 exclude each other.")
    }

    @Test("Chunks are shown on standard output, and the totals on standard error if that fails")
    func showsChunks() throws {
        let options = try ShowOptions.parse([])
        #expect(options.show == nil && options.showLimit == nil)
        let output = options.output(default: .summary, overflow: .drop)
        #expect(output.name == "standard output" && output.descriptor == 1 && output.lastResort == 2)
        #expect(output.overflow == .drop && output.sink is TerminalSink)
        let totals = ShowOptions.totals(overflow: .drop, FlowDetails(), try ScreenOptions.parse([]))
        #expect(totals.name == "standard error" && totals.descriptor == 2 && totals.lastResort == nil)
        #expect(totals.overflow == .drop && totals.sink is SummarySink)
        for onOutput in [true, false] {
            let place = onOutput ? RecordPlace.standardOutput : .standardError
            let ports = try ShowOptions.parse([]).ports(to: place, overflow: .wait, FlowDetails())
            #expect(ports.name == (onOutput ? "standard output" : "standard error"))
            #expect(ports.descriptor == (onOutput ? 1 : 2) && ports.sink is PortsSink && ports.overflow == .wait)
        }
    }

    @Test("What is shown can be appended to a file, which has no other place if it fails but standard error")
    func showsInFile() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("records", Array("before\n".utf8))
        let output = try ShowOptions.parse([]).output(to: RecordPlace(appendingTo: path), default: .hex)
        #expect(output.name == path && output.path == path && output.descriptor > 2 && output.lastResort == 2)
        #expect(output.sink is TerminalSink && output.overflow == .wait)
        close(output.descriptor)
        #expect(try folder.read("records") == Array("before\n".utf8))
        let errors = try ShowOptions.parse([]).output(to: .standardError, default: .hex)
        #expect(errors.name == "standard error" && errors.descriptor == 2 && errors.lastResort == nil)
        #expect {
            _ = try RecordPlace(appendingTo: folder.path + "/none/records")
        } throws: {
            ($0 as? Failure)?.code == .cannotCreate
        }
    }

    @Test("What the kernel captures is all of a packet, or as much as is asked for")
    func choosesCapture() throws {
        let none = try CaptureOptions.parse([])
        #expect(!none.isAnyGiven && none.snaplen.bytes == 0)
        let usual = none.source(interface: "lo", filter: "udp")
        #expect(usual == CaptureSource(interface: "lo", filter: "udp"))
        let (length, buffer) = (
            try CaptureOptions.parse(["--snaplen", "96"]), try CaptureOptions.parse(["--buffer", "1"])
        )
        let immediate = try CaptureOptions.parse(["--immediate"])
        #expect(length.isAnyGiven && buffer.isAnyGiven && immediate.isAnyGiven)
        #expect(length.source().snapLength == 96 && length.source().bufferSize == nil && !length.source().isImmediate)
        #expect(buffer.source().snapLength == usual.snapLength && buffer.source().bufferSize == 1)
        #expect(immediate.source().isImmediate && immediate.source().bufferSize == nil)
    }

    @Test(
        "What the kernel cannot capture is refused",
        arguments: [
            (["--snaplen", "262144"], nil), (["--snaplen", "262145"], "--snaplen takes at most 262144 bytes."),
            (["--buffer", "0"], "--buffer takes from 1 byte to under 2 GiB."), (["--buffer", "2147483647"], nil),
            (["--buffer", "2G"], "--buffer takes from 1 byte to under 2 GiB."),
        ] as [([String], String?)]
    )
    func refusesCapture(arguments: [String], reason: String?) {
        #expect(refusal(CaptureOptions.self, arguments) == reason)
    }

    @Test(
        "Files are begun anew by size, by time or by both, and so many are kept",
        arguments: [
            ([], nil, nil, nil, false, false), (["--rotate-size", "1024"], 1024, nil, nil, true, true),
            (["--rotate-every", "1s"], nil, .seconds(1), nil, true, true),
            (["--rotate-size", "1M", "--rotate-keep", "1"], 1 << 20, nil, 1, true, true),
            (
                ["--rotate-every", "1h", "--rotate-keep", "3", "--rotate-size", "2k"], 2048, .seconds(3600), 3, true,
                true
            ),
        ] as [([String], Int?, Duration?, Int?, Bool, Bool)]
    )
    func rotates(arguments: [String], size: Int?, every: Duration?, keep: Int?, rotates: Bool, isGiven: Bool) throws {
        let options = try RotationOptions.parse(arguments)
        #expect(options.rotates == rotates && options.isAnyGiven == isGiven)
        #expect(options.rotation == FileRotation(size: size, every: every, keep: keep))
    }

    @Test(
        "A rotation that makes no sense is refused",
        arguments: [
            (["--rotate-keep", "2"], "--rotate-keep needs --rotate-size or --rotate-every."),
            (["--rotate-size", "1023"], "--rotate-size takes a size from 1024 bytes."),
            (["--rotate-every", "999ms"], "--rotate-every takes a time from 1s."),
            (["--rotate-size", "1k", "--rotate-keep", "0"], "--rotate-keep takes a number from 1."),
        ]
    )
    func refusesRotation(arguments: [String], reason: String) {
        #expect(refusal(RotationOptions.self, arguments) == reason)
    }

    @Test(
        "A recording has a format and a largest packet, and needs a path",
        arguments: [
            ([], nil), (["--record", "x"], nil), (["--record", "x", "--mtu", "576"], nil),
            (["--record", "x", "--record-format", "pcap"], nil), (["--mtu", "65535"], nil),
            (["--record", "x", "--mtu", "575"], "--mtu takes a number from 576 to 65535."),
            (["--record", "x", "--mtu", "65536"], "--mtu takes a number from 576 to 65535."),
            (["--mtu", "1500"], "--record-format and --mtu need --record PATH."),
            (["--record-format", "pcap"], "--record-format and --mtu need --record PATH."),
            (["--record", "-", "--rotate-size", "1M"], "--record - is one stream: --rotate-... needs a PATH."),
        ] as [([String], String?)]
    )
    func recordsRefuse(arguments: [String], reason: String?) {
        #expect(refusal(RecordOptions.self, arguments) == reason)
    }

    private static func reason(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }

    @Test("Only a recording to a file rotates, and one to standard output has that alone")
    func recordsNeedFiles() throws {
        let rotating = try RecordOptions.parse(["--rotate-size", "1M"])
        let needs = "--rotate-... needs --record PATH or --capture PATH."
        #expect(Self.reason { try rotating.requireFiles() }?.contains(needs) == true)
        #expect(Self.reason { try rotating.requireFiles(orCapture: "x") } == nil)
        let file = try RecordOptions.parse(["--rotate-size", "1M", "--record", "x"])
        #expect(Self.reason { try file.requireFiles() } == nil && !file.takesStandardOutput)
        #expect(Self.reason { try RecordOptions.parse([]).requireFiles() } == nil)
        #expect(Self.reason { try file.requireStandardOutput(for: .hex, log: "-") } == nil)
        var stream = try RecordOptions.parse(["--record", "x"])
        stream.record = "-"
        #expect(stream.takesStandardOutput)
        #expect(Self.reason { try stream.requireStandardOutput(for: nil) } == nil)
        #expect(Self.reason { try stream.requireStandardOutput(for: TerminalSink.Show.none, log: "x") } == nil)
        let both = "--record - and --log - both write to standard output."
        #expect(Self.reason { try stream.requireStandardOutput(for: nil, log: "-") }?.contains(both) == true)
        let shown = "--record - writes to standard output, so --show text has no place there."
        #expect(Self.reason { try stream.requireStandardOutput(for: .text) }?.contains(shown) == true)
    }

    @Test("The control API's options need it, and a relay needs routes or it")
    func adminOptions() throws {
        let needs = "--admin-token-file, --proxies and --captures-folder need --admin HOST:PORT."
        for option in ["--admin-token-file", "--proxies", "--captures-folder"] {
            #expect(refusal(AdminOptions.self, [option, "x"]) == needs)
            #expect(refusal(AdminOptions.self, [option, "x", "--admin", "default"]) == nil)
        }
        #expect(refusal(AdminOptions.self, ["--captures-folder", "Captures"]) == nil)
        let without = try AdminOptions.parse([])
        #expect(without.capturesFolder == "Captures")
        #expect(Self.reason { try without.requireRoutes([]) }?.contains("Give a ROUTE") == true)
        #expect(Self.reason { try without.requireRoutes(["x"]) } == nil)
        #expect(Self.reason { try AdminOptions.parse(["--admin", "default"]).requireRoutes([]) } == nil)
    }
}
