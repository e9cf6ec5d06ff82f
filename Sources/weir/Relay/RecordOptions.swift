public import ArgumentParser
import Glibc
import WeirEngine
import WeirRelay
import WeirSinks

extension CaptureSettings.Format: ExpressibleByArgument {}
extension CaptureSettings.Legs: ExpressibleByArgument {}
extension CaptureSettings.TLS: ExpressibleByArgument {}

/// The options for whether and how relayed traffic is written as a capture.
struct RecordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write packets made from the relayed bytes, for Wireshark; needs no privilege. A folder gets a file named by "
                + "the time; - is standard output, where that is free.",
            valueName: "path"
        ),
        completion: .file()
    )
    var record: String?

    @Option(help: "The capture's format: pcapng (with comments, names and counts) or pcap.")
    var recordFormat = CaptureSettings.Format.pcapng

    @Option(
        help: "What is recorded of flows with TLS: plain (decrypted) or cipher (encrypted as it was, with the secrets)."
    )
    var recordTls = CaptureSettings.TLS.plain

    @Option(
        help: ArgumentHelp(
            "Cut recorded TCP packets at this many bytes, 576 to 65535, IP header included.",
            valueName: "bytes"
        )
    )
    var mtu = 65_535

    @OptionGroup var rotation: RotationOptions

    /// Whether the capture goes to standard output.
    var takesStandardOutput: Bool { record == "-" }

    func validate() throws {
        if record == nil, mtu != 65_535 || recordFormat != .pcapng {
            throw ValidationError("--record-format and --mtu need --record PATH.")
        }
        if recordTls == .cipher {
            guard record != nil else { throw ValidationError("--record-tls needs --record PATH.") }
            if recordFormat == .pcap {
                throw ValidationError("--record-tls cipher needs pcapng: pcap has no place for secrets.")
            }
        }
        guard (576...65_535).contains(mtu) else { throw ValidationError("--mtu takes a number from 576 to 65535.") }
        guard takesStandardOutput else { return }
        if rotation.rotates { throw ValidationError("--record - is one stream: --rotate-... needs a PATH.") }
        if isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("--record - writes a capture to standard output, which is a terminal: pipe it.")
        }
    }

    /// Refuses rotation options without a file to rotate.
    func requireFiles(orCapture capture: String? = nil) throws {
        guard record == nil, capture == nil, rotation.isAnyGiven else { return }
        throw ValidationError("--rotate-... needs --record PATH or --capture PATH.")
    }

    /// Refuses another use of standard output besides the capture.
    func requireStandardOutput(for show: TerminalSink.Show?, log: String? = nil) throws {
        guard takesStandardOutput else { return }
        if log == "-" { throw ValidationError("--record - and --log - both write to standard output.") }
        if let show, show != .none {
            throw ValidationError("--record - writes to standard output, so --show \(show) has no place there.")
        }
    }

    /// Makes the capture's output; nil if `--record` was not given.
    func recording(
        _ legs: CaptureSettings.Legs,
        names: ResolvedNames,
        process: ProcessLookup? = nil,
        overflow: SinkOutput.Overflow = .wait
    ) throws(Failure) -> Recording? {
        guard let record else { return nil }
        var settings = CaptureSettings(seed: .random(in: 0 ... .max))
        settings.format = recordFormat
        settings.legs = legs
        settings.tls = recordTls
        settings.largestPacket = mtu
        settings.application = "weir \(Machine.version)"
        settings.operatingSystem = Machine.operatingSystem
        settings.process = process
        settings.names = { names.names(of: $0) }
        let sink = CaptureSink(settings)
        guard !takesStandardOutput else {
            let name = "standard output"
            return Recording(
                output: SinkOutput(name: name, sink: sink, descriptor: STDOUT_FILENO, overflow: overflow),
                files: nil
            )
        }
        do {
            let files = try CaptureFiles(
                record,
                format: recordFormat,
                rotation: rotation.rotation,
                whenWaiting: {
                    Diagnostics.tellWaiting(for: record)
                }
            )
            return Recording(output: SinkOutput(recordingTo: files, sink: sink, overflow: overflow), files: files)
        } catch {
            throw Failure(creating: error)
        }
    }
}

/// A capture that is being made.
struct Recording {
    var output: SinkOutput
    /// The capture's files; nil if it goes to standard output.
    var files: CaptureFiles?

    /// Deletes the files again, because nothing is relayed after all.
    func discard() { files?.discard() }
}
