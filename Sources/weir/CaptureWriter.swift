import Glibc
import WeirCapture
import WeirRelay

/// Takes the packets of a live capture: writes them to files, shows them, or both.
struct CaptureWriter: PacketReceiver, ~Copyable, Sendable {
    private var file: CaptureFileWriter?
    private var printer: PacketPrinter?
    private var status: CaptureStatus?
    /// Says why an output has failed.
    private(set) var failure: SystemError?
    private(set) var lastSign: Int64 = 0
    private(set) var isWaiting = false

    /// Makes what takes packets.
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

    /// Writes what is left, and the end of the file.
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
