import Glibc
import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirWire

/// A view of a capture.
protocol ShowView: ~Copyable {
    /// Adds a packet, which the flows already count.
    ///
    /// - Parameters:
    ///   - packet: Its time and lengths.
    ///   - bytes: Its captured bytes.
    ///   - flows: The decoded packet, and the flows up to it.
    ///   - output: The output on which to show it.
    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    )

    /// Returns whether the view needs a packet of these flows.
    ///
    /// - Parameters:
    ///   - tcp: The flow of its TCP segment.
    ///   - udp: The flow of its UDP datagram, or of the tunnel.
    ///   - inner: The flows of datagrams within that one.
    /// - Returns: Whether to pass the packet to `take`.
    func wants(_ tcp: FlowTable.Place?, _ udp: FlowTable.Place?, _ inner: [FlowTable.Place?]) -> Bool

    /// Adds the file's metadata of a packet that begins flows.
    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows)

    /// Adds a block between packets.
    mutating func take(_ block: CaptureBlock)

    /// Adds messages that a log has in place of bytes, after the packets that they were in.
    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput)

    /// The option that needs the bytes of the traffic, which a log may lack; nil if the view can do without.
    var needsBytes: String? { get }

    /// Begins a file.
    mutating func begin(_ file: String)

    /// Shows what is known only at the end, also if the capture turned out to be damaged.
    ///
    /// - Throws: `Failure` if the view cannot be shown.
    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) throws(Failure)

    /// Whether the view shows something while it reads.
    var isLive: Bool { get }
}

extension ShowView where Self: ~Copyable {
    func wants(_ tcp: FlowTable.Place?, _ udp: FlowTable.Place?, _ inner: [FlowTable.Place?]) -> Bool { true }
    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {}
    mutating func take(_ block: CaptureBlock) {}
    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {}
    var needsBytes: String? { nil }
    mutating func begin(_ file: String) {}
    var isLive: Bool { false }
}

/// The report on reading the files.
struct ShowReport {
    /// The failures, each with its message.
    var failures: [Failure] = []
    /// The number of files that were read, at least in part.
    var files = 0
    /// The number of pcapng blocks of unknown types.
    var skippedBlocks = 0
    /// What was left out, and what else to know of the files, a line each.
    var notes: [String] = []
}

/// A run that reads captures one after another, and shows them.
struct ShowRun: ~Copyable {
    private let inputs: ShowInputs
    private let output: ShowOutput
    private var flows: CaptureFlows
    private var report = ShowReport()
    private var progress: ShowProgress?
    /// The number of the flow that must be there; nil if none was asked for.
    private let flow: Int?
    private var decryption: ShowDecryption
    /// The numbers of the flows, if one was asked for, or some may be decrypted.
    private var numbers = FlowRows()

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - inputs: The files.
    ///   - output: The output of the view.
    ///   - decryption: The secrets of TLS.
    ///   - flow: The number of the flow that was asked for; if there is none, the run fails.
    init(_ inputs: ShowInputs, _ output: ShowOutput, _ decryption: ShowDecryption, flow: Int? = nil) {
        self.decryption = decryption
        self.inputs = inputs
        self.output = output
        self.flow = flow
        report.notes = inputs.notes
        flows = CaptureFlows(seed: UInt64.random(in: .min ... .max))
        flows.stages = decryption.stages
    }

    /// Reads all files, and shows the view.
    mutating func show<View: ShowView & ~Copyable>(_ view: inout View) {
        progress = ShowProgress(inputs.files.map(\.path), isLive: view.isLive && output.isTerminal)
        for file in inputs.files {
            do throws(CaptureFailure) {
                try read(file, &view)
            } catch {
                report.failures.append(Failure(reading: error))
            }
        }
        progress?.finish()
        for note in report.notes { Diagnostics.print(note) }
        guard report.files > 0 else { return }
        do throws(Failure) {
            if let flow { try numbers.check(flow, in: flows.table) }
            try view.finish(flows, report, output)
        } catch {
            report.failures.append(error)
        }
        output.flush()
        for note in decryption.notes(numbers) { Diagnostics.print(note) }
    }

    /// Reports the failures.
    ///
    /// - Throws: The exit code of the first failure with the message of the last; the others have been printed.
    consuming func end() throws(Failure) {
        guard let first = report.failures.first else { return }
        for failure in report.failures.dropLast() { Diagnostics.print(failure.message) }
        throw Failure(first.code, report.failures.last?.message ?? first.message)
    }

    private mutating func read<View: ShowView & ~Copyable>(
        _ input: ShowInputs.File,
        _ view: inout View
    ) throws(CaptureFailure) {
        let path = input.path
        var file = try CaptureFile(path, leavingOut: input.runsLeftOut)
        defer {
            report.skippedBlocks += file.reader.skippedBlocks
            let name = path == "-" ? "standard input" : "'\(path)'"
            report.notes += file.notes.map { "\(name): \($0)" }
        }
        let (output, waits) = (output, file.size == nil)
        var isBegun = false
        while true {
            while let packet = file.nextPlain() { take(packet, of: &file, &view) }
            let read = file.bytesRead
            let item = try file.next(
                {
                    // If a pipe is fed slowly, show each packet when it arrives.
                    if waits { output.flush() }
                    progress?.show(read)
                },
                messages: { view.take($0, in: flows, output) }
            )
            if file.lacksBytes, let option = view.needsBytes {
                throw .log("the log has no bytes, which \(option) needs; record it with --log-bytes", path: path)
            }
            if !isBegun {
                isBegun = true
                report.files += 1
                view.begin(path)
            }
            switch item {
            case .packet(let packet): take(packet, of: &file, &view)
            case .block(let block):
                if flow != nil || flows.stages != nil { numbers.add(block) }
                if case .secrets = block {
                    decryption.add(block, after: flows.packets)
                    flows.stages = decryption.stages
                }
                view.take(block)
            case nil:
                progress?.endFile(file.bytesRead)
                return
            }
        }
    }

    @inline(__always)
    private mutating func take<View: ShowView & ~Copyable>(
        _ packet: CapturedPacket,
        of file: inout CaptureFile,
        _ view: inout View
    ) {
        file.withBytes(of: packet) { flows.add(packet, $0) }
        // In a separate call: lending the whole file, or the flows, to a function copies all of it, for each packet.
        if flows.hasNewFlow {
            let metadata = file.metadata(of: packet)
            if flow != nil || flows.stages != nil { numbers.add(metadata.options.comments, in: flows) }
            view.begin(metadata, in: flows)
        }
        if view.wants(flows.tcp, flows.udp, flows.innerUDP) {
            file.withBytes(of: packet) { view.take(packet, $0, in: flows, output) }
        }
    }
}

extension FlowRows {
    /// Checks that there is a flow with a number.
    ///
    /// - Throws: The failure that says which numbers there are.
    fileprivate func check(_ number: Int, in table: borrowing FlowTable) throws(Failure) {
        guard place(number, count: table.count) == nil else { return }
        let all = count(in: table)
        let numbers = numbers(in: table).map { ", with the numbers \($0.lowerBound) to \($0.upperBound)" }
        throw Failure(
            .expectationFailed,
            "there is no flow \(number): the capture has \(all)\(isRecorded ? numbers ?? "" : "")"
        )
    }
}
