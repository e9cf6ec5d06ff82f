import ArgumentParser
import Glibc
import WeirCapture
import WeirFlow
import WeirRelay
import WeirWire

/// Captures the packets of a relay, while it runs, on the interface that its routes use.
final class RelayCapture: Sendable {
    private let path: String
    private let rotation: FileRotation
    private let interface: String?
    private let settings: CaptureSource
    private let process: ProcessPeek?
    private let flows = FlowFeed()
    private let run = Lock<CaptureRun?>(nil)
    private let files = Lock<CaptureFiles?>(nil)

    /// Makes the capture of a relay that is to start.
    ///
    /// - Parameters:
    ///   - path: where packets are written to.
    ///   - rotation: when the next file begins.
    ///   - interface: where they come from; nil chooses by the routes.
    ///   - settings: how they are captured, whatever its interface and filter.
    ///   - process: answers which process a flow's client is, for the packets' comments; nil where nobody looks.
    init(
        to path: String,
        rotation: FileRotation,
        interface: String? = nil,
        settings: CaptureSource = CaptureSource(interface: ""),
        process: ProcessPeek? = nil
    ) {
        self.path = path
        self.rotation = rotation
        self.interface = interface
        self.settings = settings
        self.process = process
    }

    /// Refuses standard output, which is for the records.
    static func requireFile(_ path: String?) throws {
        guard path == "-" else { return }
        throw ValidationError("--capture takes a file or a folder; 'weir capture -w -' is for pipes.")
    }

    /// Makes the output by which the capture learns of the relay's flows.
    func makeOutput() -> SinkOutput {
        // Renders nothing, so that nothing is written.
        SinkOutput(name: "capture", sink: FlowFeedSink(flows), descriptor: -1)
    }

    /// Starts when the relay's ports are known, and no client can have connected.
    ///
    /// - Parameters:
    ///   - bound: the relay's ports.
    ///   - whenOver: is told what the program is to exit with, when everything is written; on any thread.
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
        let description = CaptureDescription.ofThisProgram(handle, source)
        let file = try CaptureFileWriter(description, naming: flows, process: process, to: OutputTarget(files))
        let writer = CaptureWriter(file: file, printer: nil, status: nil)
        let run = try CaptureRun(handle, writer: writer) { [flows] outcome in
            outcome.report(on: interface)
            flows.close()
            whenOver(outcome.status)
        }
        self.run.withLock { $0 = run }
        Diagnostics.write("capturing on \(interface)\n")
    }

    /// Ends when the flows' last packets have come, and returns what the program is to exit with.
    func finish() async -> ExitStatus {
        endWhenQuiet()
        return await run.withLock { $0 }?.outcome()?.status ?? .done
    }

    /// Ends when the flows' last packets have come.
    func endWhenQuiet() { run.withLock { $0 }?.endWhenQuiet() }

    /// Ends at once.
    func end() { run.withLock { $0 }?.end() }

    /// Takes back what was made, because nothing is relayed after all.
    func discard() {
        end()
        files.withLock { $0 }?.discard()
    }

    /// Chooses the interface that the routes use: the loopback, or all where packets may come another way.
    ///
    /// Clients of this machine reach each of its addresses over the loopback, others come from outside: a listener that
    /// both can reach needs all interfaces.
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
    /// Describes a capture of this program on this machine.
    static func ofThisProgram(_ handle: borrowing CaptureHandle, _ source: CaptureSource) -> CaptureDescription {
        var description = CaptureDescription(handle, of: source)
        description.application = "weir \(Weir.version)"
        description.operatingSystem = Machine.operatingSystem
        return description
    }
}
