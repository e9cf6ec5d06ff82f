import Glibc
import WeirCapture
import WeirRelay

/// A receiver of a live capture's packets, which writes them to files, shows them, or both.
struct CaptureWriter: PacketReceiver, ~Copyable, Sendable {
    private var file: CaptureFileWriter?
    private var printer: PacketPrinter?
    private var status: CaptureStatus?
    /// The error because of which an output has failed.
    private(set) var failure: SystemError?
    private(set) var lastSign: Int64 = 0
    private(set) var isWaiting = false

    /// Makes a receiver from its outputs.
    init(file: consuming CaptureFileWriter?, printer: consuming PacketPrinter?, status: CaptureStatus?) {
        self.file = file
        self.printer = printer
        self.status = status
    }

    var hasEnded: Bool { failure != nil }

    mutating func receive(_ packet: LivePacket, _ bytes: RawSpan) {
        guard failure == nil else { return }
        do {
            try file?.append(packet, bytes)
        } catch {
            failure = error
        }
        printer?.append(packet, bytes)
    }

    mutating func pause(isIdle: Bool) {
        do {
            try file?.flush(isIdle: isIdle)
            try printer?.flush(isIdle: isIdle)
        } catch {
            failure = error
        }
        if let sign = file?.lastSign { lastSign = sign }
        isWaiting = file?.isWaiting == true
    }

    mutating func note(_ progress: CaptureProgress) {
        file?.note(progress)
        status?.show(progress)
    }

    mutating func prepareToEnd(at time: Int64) {
        file?.watch(at: time)
        lastSign = time
    }

    /// Writes the remaining packets, and the end of the file.
    mutating func finish(_ progress: CaptureProgress) {
        status?.clear()
        do {
            try file?.finish(progress)
            try printer?.flush(isIdle: true)
        } catch {
            failure = failure ?? error
        }
    }
}
