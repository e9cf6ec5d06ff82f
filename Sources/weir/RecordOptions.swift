public import ArgumentParser
import Glibc
public import WeirFlow
import WeirRelay
import WeirWire

extension CaptureSettings.Format: ExpressibleByArgument {}
extension CaptureSettings.Legs: ExpressibleByArgument {}

/// Says whether and how relayed traffic is written as a capture.
struct RecordOptions: ParsableArguments {
    private static let smallestRotation = 1024

    @Option(
        help: ArgumentHelp(
            "Write packets made from the relayed bytes, for Wireshark; needs no privilege. A folder gets a file named by "
                + "the time; - is standard output.",
            valueName: "path"
        )
    )
    var record: String?

    @Option(help: "The capture's format: pcapng (with comments, names and counts) or pcap.")
    var recordFormat = CaptureSettings.Format.pcapng

    @Option(
        help: ArgumentHelp(
            "Cut recorded TCP packets at this many bytes, 576 to 65535, IP header included.",
            valueName: "bytes"
        )
    )
    var mtu = 65_535

    @Option(help: ArgumentHelp("Begin a new file once one has grown to this size.", valueName: "bytes"))
    var rotateSize: ByteCountArgument?

    @Option(
        help: ArgumentHelp(
            "Begin a new file at every exact multiple of this time: 1h is on the hour.",
            valueName: "time"
        )
    )
    var rotateEvery: DurationArgument?

    @Option(help: ArgumentHelp("Keep this many files, and delete the oldest of this run.", valueName: "count"))
    var rotateKeep: Int?

    /// Says that the capture takes standard output.
    var takesStandardOutput: Bool { record == "-" }

    func validate() throws {
        let rotates = rotateSize != nil || rotateEvery != nil
        if record == nil, rotates || rotateKeep != nil || mtu != 65_535 || recordFormat != .pcapng {
            throw ValidationError("--record-format, --mtu and --rotate-... need --record PATH.")
        }
        guard (576...65_535).contains(mtu) else { throw ValidationError("--mtu takes a number from 576 to 65535.") }
        if rotateKeep != nil, !rotates { throw ValidationError("--rotate-keep needs --rotate-size or --rotate-every.") }
        if let rotateKeep, rotateKeep < 1 { throw ValidationError("--rotate-keep takes a number from 1.") }
        if let rotateSize, rotateSize.bytes < Self.smallestRotation {
            throw ValidationError("--rotate-size takes a size from \(Self.smallestRotation) bytes.")
        }
        if let rotateEvery, rotateEvery.duration < .seconds(1) {
            throw ValidationError("--rotate-every takes a time from 1s.")
        }
        guard takesStandardOutput else { return }
        if rotates { throw ValidationError("--record - is one stream: --rotate-... needs a PATH.") }
        if isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("--record - writes a capture to standard output, which is a terminal: pipe it.")
        }
    }

    /// Refuses another use of standard output beside the capture's.
    func requireStandardOutput(for show: TerminalSink.Show?, log: String? = nil) throws {
        guard takesStandardOutput else { return }
        if log == "-" { throw ValidationError("--record - and --log - both write to standard output.") }
        if let show, show != .none {
            throw ValidationError("--record - writes to standard output, so --show \(show) has no place there.")
        }
    }

    /// Makes the capture's output; nil where none was asked for.
    func recording(
        _ legs: CaptureSettings.Legs,
        names: ResolvedNames,
        overflow: SinkOutput.Overflow = .wait
    ) throws(Failure) -> Recording? {
        guard let record else { return nil }
        var settings = CaptureSettings(seed: .random(in: 0 ... .max))
        settings.format = recordFormat
        settings.legs = legs
        settings.largestPacket = mtu
        settings.application = "weir \(Weir.version)"
        settings.operatingSystem = Self.operatingSystem
        settings.names = { names.names(of: $0) }
        let sink = CaptureSink(settings)
        guard !takesStandardOutput else {
            let name = "standard output"
            return Recording(
                output: SinkOutput(name: name, sink: sink, descriptor: STDOUT_FILENO, overflow: overflow),
                files: nil
            )
        }
        let rotation = FileRotation(size: rotateSize?.bytes, every: rotateEvery?.duration, keep: rotateKeep)
        do {
            let files = try CaptureFiles(record, format: recordFormat, rotation: rotation)
            return Recording(output: SinkOutput(recordingTo: files, sink: sink, overflow: overflow), files: files)
        } catch {
            throw Failure(creating: error)
        }
    }

    /// Names the kernel, as `uname -srm` does.
    private static var operatingSystem: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }
}

/// Holds a capture that is being made.
struct Recording {
    var output: SinkOutput
    /// Is nil where the capture goes to standard output.
    var files: CaptureFiles?

    /// Takes back what was made, because nothing is relayed after all.
    func discard() { files?.discard() }
}
