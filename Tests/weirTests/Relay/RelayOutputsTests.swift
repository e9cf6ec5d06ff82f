import ArgumentParser
import Foundation
import Glibc
import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

@testable import weir

@Suite("The outputs that the options of weir relay ask for")
struct RelayOutputsTests {
    private static let route = "tcp:0=127.0.0.1:9"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func command(_ arguments: [String]) throws -> RelayCommand {
        try RelayCommand.parse([route] + arguments)
    }

    private static func outputs(_ command: RelayCommand, _ details: FlowDetails = FlowDetails()) throws -> RelayOutputs
    {
        command.makeOutputs(try command.configuration(), details, admin: nil)
    }

    /// Describes each output.
    private static func lines(_ outputs: [SinkOutput]) -> [String] {
        outputs.map { "\(type(of: $0.sink)) \($0.name) \($0.descriptor < 0 ? -1 : $0.descriptor) \($0.overflow)" }
    }

    @Test("Every kind of output has its place, and what it does if it is too slow")
    func all() throws {
        let (log, capture) = (folder.path + "/log", folder.path + "/a.pcapng")
        let command = try Self.command([
            "--show", "none", "--ports", "--log", log, "--record", capture, "--capture", folder.path + "/b.pcapng",
        ])
        let outputs = try Self.outputs(command)
        #expect(outputs.recording == nil)
        let made = try outputs.makeAll()
        #expect(made.map(\.name) == ["standard error", "standard output", log, capture, "capture"])
        #expect(made.map(\.overflow) == [.wait, .wait, .wait, .wait, .drop] && made[4].descriptor == -1)
        #expect(made[0].sink is SummarySink && made[1].sink is PortsSink && made[2].sink is JSONLinesSink)
        #expect(made[3].sink is CaptureSink && outputs.recording?.output.name == capture && outputs.capture != nil)
        for output in made[2...3] { close(output.descriptor) }
        // Nothing is captured before the relay has its ports, and what was recorded is taken back.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a.pcapng", "log"])
        outputs.recording?.discard()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["log"])
    }

    @Test(
        "A capture on standard output leaves the terminal the totals alone, and no file",
        arguments: [SinkOutput.Overflow.wait, .drop]
    )
    func recordsToOutput(overflow: SinkOutput.Overflow) throws {
        var command = try Self.command(["--overflow", "\(overflow)"])
        // Its own check refuses a terminal, which the tests' output may be.
        command.outputs.records.record = "-"
        let outputs = try Self.outputs(command)
        #expect(
            try Self.lines(outputs.makeAll()) == [
                "SummarySink standard error 2 \(overflow)", "CaptureSink standard output 1 \(overflow)",
            ]
        )
        let files = try #require(outputs.recording).files
        #expect(files == nil)
    }

    @Test("A capture that cannot be made is told with 73, and leaves what is there")
    func cannotRecord() throws {
        let path = try folder.file("a.pcapng", [1])
        let outputs = try Self.outputs(try Self.command(["--record", path]))
        #expect {
            _ = try outputs.makeAll()
        } throws: {
            ($0 as? Failure)?.code == .cannotCreate
        }
        #expect(try folder.read("a.pcapng") == [1] && outputs.recording == nil)
    }

    @Test("Messages are read for the terminal and the log, unless that is turned off")
    func dissects() throws {
        for (option, messages) in [([], MessageInterest.summaries), (["--no-dissect"], .none)] {
            let log = folder.path + "/log"
            let made = try Self.outputs(try Self.command(["--show", "summary", "--log", log] + option)).makeAll()
            #expect(made.map { $0.sink.messages } == [messages, messages] && made[1].sink.interest == .chunks)
            close(made[1].descriptor)
        }
    }

    @Test("What came to toxics is shown and logged if it is asked for, and the details of flows always")
    func originalsAndDetails() throws {
        let process = ClientProcess(identifier: 4711, name: "curl", user: "root")
        for (option, isShown) in [([], false), (["--show-original"], true)] {
            let command = try Self.command(["--show", "summary", "--log", folder.path + "/log"] + option)
            let made = try Self.outputs(command, FlowDetails(process: { _ in .found(process) })).makeAll()
            for output in made {
                var sink = output.sink
                #expect(sink.rendered(record(.received(Sample.tampered(at: 0, 1)))).isEmpty != isShown)
                #expect(sink.rendered(record(.opened)).contains("curl"))
            }
            close(made[1].descriptor)
        }
    }

    @Test("The terminal shows ports if they are asked for, and the totals")
    func ports() throws {
        for (option, hasPorts) in [([], false), (["--ports"], true)] {
            let made = try Self.outputs(try Self.command(["--show", "summary"] + option)).makeAll()
            var sink = made[0].sink
            let lines = sink.rendered(record(.opened)).split(separator: "\n")
            #expect(made.count == 1 && (lines.count > 1) == hasPorts, "\(lines)")
            #expect(sink.finished().hasPrefix("total: "))
        }
    }

    // MARK: - The capture's own settings

    /// Renders the capture of a short talk with the settings of options.
    private func capture(_ arguments: [String], _ legs: CaptureSettings.Legs = .both) throws -> SeenCapture {
        let options = try RecordOptions.parse(["--record", folder.path + "/"] + arguments)
        let process = ClientProcess(identifier: 4711, name: "curl", user: "root")
        let recording = try #require(
            try options.recording(legs, names: ResolvedNames(), process: { _ in .found(process) }, overflow: .drop)
        )
        #expect(recording.output.overflow == .drop && recording.output.name == recording.files?.path)
        close(recording.output.descriptor)
        let suffix = arguments.contains("pcap") ? ".pcap" : ".pcapng"
        #expect(recording.output.name.hasPrefix(folder.path + "/weir-") && recording.output.name.hasSuffix(suffix))
        var sink = recording.output.sink
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        for happening in [FlowRecord.Happening.opened, .connected(dial: .zero, isRerouted: false)] {
            sink.render(record(happening), bytes: RawSpan(), into: &output)
        }
        let bytes = [UInt8](repeating: 1, count: 1000)
        sink.render(record(chunk(.upstream, at: 0, 1000)), bytes: bytes.span.bytes, into: &output)
        return try SeenCapture(output.withUnsafeBytes { Array($0) })
    }

    @Test("The capture has the program's name, the system's, and the client's process")
    func describes() throws {
        let seen = try capture([])
        let section = try #require(seen.sections.first)
        #expect(section.application == "weir \(Machine.version) (synthesised packets)")
        #expect(section.operatingSystem == Machine.operatingSystem && section.operatingSystem?.isEmpty == false)
        #expect(seen.packets.first?.comments.first?.hasSuffix("; process curl/4711 user root") == true)
        #expect(seen.interfaces.map(\.name) == ["weir:client", "weir:server"])
        #expect(seen.packets.map(\.payload.count).max() == 1000)
    }

    @Test("The capture has the legs, the packets' size and the format that were asked for")
    func settings() throws {
        #expect(try capture([], .client).interfaces.map(\.name) == ["weir:client"])
        #expect(try capture([], .server).interfaces.map(\.name) == ["weir:server"])
        #expect(try capture(["--mtu", "576"]).packets.map(\.internetLength).max() == 576)
        let pcap = try capture(["--record-format", "pcap"])
        #expect(pcap.sections.isEmpty && pcap.packets.count == 10 && pcap.error == nil)
    }

    @Test("Without --record nothing is recorded; with it, each capture has its own first numbers")
    func seeds() throws {
        let none = try RecordOptions.parse([]).recording(.both, names: ResolvedNames())
        #expect(none == nil)
        let numbers = try (0..<2).map { _ in try capture([]).packets.first?.tcp?.sequenceNumber }
        #expect(numbers[0] != nil && numbers[0] != numbers[1])
    }
}
