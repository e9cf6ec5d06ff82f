import ArgumentParser
import Glibc
import WeirCapture
import WeirEngine
import WeirRelay
import WeirWire

/// A capture of a relay's packets, while it runs, on the interface that its routes use.
final class RelayCapture: Sendable {
    private let path: String
    private let rotation: FileRotation
    private let interface: String?
    private let settings: CaptureSource
    private let process: ProcessPeek?
    private let flows = FlowFeed()
    private let secrets: SecretFeed?
    private let run = Lock<CaptureRun?>(nil)
    private let files = Lock<CaptureFiles?>(nil)

    /// Makes the capture of a relay that will start.
    ///
    /// - Parameters:
    ///   - path: the destination of the packets.
    ///   - rotation: when the next file begins.
    ///   - interface: the interface to capture on; if nil, the routes decide.
    ///   - settings: the settings of the capture; their interface and filter do not count.
    ///   - process: returns the process of a flow's client, for packets' comments; nil if processes are not searched
    ///     for.
    ///   - secrets: the secrets of the relay's TLS connections; nil if it has none.
    init(
        to path: String,
        rotation: FileRotation,
        interface: String? = nil,
        settings: CaptureSource = CaptureSource(interface: ""),
        process: ProcessPeek? = nil,
        secrets: SecretFeed? = nil
    ) {
        self.secrets = secrets
        self.path = path
        self.rotation = rotation
        self.interface = interface
        self.settings = settings
        self.process = process
    }

    /// Refuses standard output, which is used for the records.
    static func requireFile(_ path: String?) throws {
        guard path == "-" else { return }
        throw ValidationError("--capture takes a file or a folder; 'weir capture -w -' is for pipes.")
    }

    /// Makes the output from which the capture learns of the relay's flows.
    func makeOutput() -> SinkOutput {
        // The sink renders nothing, so nothing is ever written to the descriptor.
        SinkOutput(name: "capture", sink: FlowFeedSink(flows), descriptor: -1, overflow: .drop)
    }

    /// Starts when the relay's ports are known, and before any client can connect.
    ///
    /// - Parameters:
    ///   - bound: the relay's ports.
    ///   - whenOver: called with the program's exit status when everything is written; on any thread.
    /// - Throws: `CaptureError`, `SystemError`.
    func start(_ bound: Bound, whenOver: @escaping @Sendable (ExitStatus) -> Void = { _ in }) throws {
        let interface = interface ?? Self.interface(for: bound)
        let listeners = bound.listeners.map { ($0.transport, $0.endpoint) }
        let filter = RouteFilter.text(for: listeners + bound.servers.map { ($0.transport, $0.endpoint) })
        var source = settings
        (source.interface, source.filter) = (interface, filter)
        let handle = try CaptureHandle(source)
        let files: CaptureFiles
        do {
            files = try CaptureFiles(path, rotation: rotation)
        } catch {
            throw Failure(creating: error)
        }
        self.files.withLock { $0 = files }
        var description = CaptureDescription.ofThisProgram(handle, source)
        description.comments = [FlowPath.statement]
        let file = try CaptureFileWriter(
            description,
            naming: flows,
            process: process,
            secrets: secrets,
            to: OutputTarget(files)
        )
        let writer = CaptureWriter(file: file, printer: nil, status: nil)
        let run = try CaptureRun(handle, writer: writer) { [flows, secrets] outcome in
            outcome.report(on: interface)
            flows.close()
            secrets?.close()
            whenOver(outcome.status)
        }
        self.run.withLock { $0 = run }
        Diagnostics.write("capturing on \(interface)\n")
    }

    /// Ends after the flows' last packets have arrived, and returns the program's exit status.
    func finish() async -> ExitStatus {
        endWhenQuiet()
        return await run.withLock { $0 }?.outcome()?.status ?? .done
    }

    /// Ends after the flows' last packets have arrived.
    func endWhenQuiet() { run.withLock { $0 }?.endWhenQuiet() }

    /// Ends at once.
    func end() { run.withLock { $0 }?.end() }

    /// Deletes the files again, because nothing is relayed after all.
    func discard() {
        end()
        files.withLock { $0 }?.discard()
    }

    /// Chooses the interface that the routes use: the loopback, or all if packets may come another way.
    ///
    /// Clients on this machine reach each of its addresses over the loopback, and others arrive from outside: a
    /// listener that both can reach needs all interfaces.
    private static func interface(for bound: Bound) -> String {
        let own = ((try? NetworkInterface.all()) ?? []).flatMap(\.addresses)
        let isLocal = { (address: IPAddress) in
            address.isLoopback || address.isUnspecified || own.contains(address)
        }
        let usesLoopback =
            bound.listeners.allSatisfy { $0.endpoint.address.isLoopback }
            && bound.servers.allSatisfy { isLocal($0.endpoint.address) }
        return usesLoopback ? NetworkInterface.loopbackName : "any"
    }
}

extension CaptureDescription {
    /// Returns the description of a capture by this program on this machine.
    static func ofThisProgram(_ handle: borrowing CaptureHandle, _ source: CaptureSource) -> CaptureDescription {
        var description = CaptureDescription(handle, of: source)
        description.application = "weir \(Machine.version)"
        description.operatingSystem = Machine.operatingSystem
        return description
    }
}
