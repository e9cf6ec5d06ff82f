import Glibc
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// A place to which what is shown is written: standard output, standard error, or a file.
struct RecordPlace: Sendable {
    /// An output to this place, whose sink is replaced.
    private let base: SinkOutput

    /// The descriptor of the place.
    var descriptor: Int32 { base.descriptor }

    /// Standard output.
    static let standardOutput = RecordPlace("standard output", STDOUT_FILENO)
    /// Standard error.
    static let standardError = RecordPlace("standard error", STDERR_FILENO)

    private init(_ name: String, _ descriptor: Int32) {
        base = SinkOutput(name: name, sink: Self.placeholder, descriptor: descriptor)
    }

    private static var placeholder: any Sink { SummarySink(details: FlowDetails(), style: TerminalStyle()) }

    /// Opens a file to which records are appended.
    ///
    /// - Parameter path: the file; if it is a named pipe without a reader, waits for one.
    /// - Throws: `Failure` with 73 or 77 if it cannot be opened.
    init(appendingTo path: String) throws(Failure) {
        do {
            base = try SinkOutput(appendingTo: path, sink: Self.placeholder) { Diagnostics.tellWaiting(for: path) }
        } catch {
            throw Failure(creating: error)
        }
    }

    /// Makes an output to this place.
    func output(_ sink: any Sink, _ overflow: SinkOutput.Overflow) -> SinkOutput {
        var output = base
        (output.sink, output.overflow) = (sink, overflow)
        return output
    }
}
