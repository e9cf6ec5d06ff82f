import Glibc
import WeirSinks

/// The search for the end of the last whole block, or packet, in a capture that was cut short.
enum WholeBlocks {
    private static let pcapHeaderSize = 24

    /// Returns the length in bytes of the whole blocks at the start of some bytes, in this machine's byte order.
    ///
    /// - Parameters:
    ///   - bytes: bytes that begin with a block of pcapng or a packet of pcap.
    ///   - format: the format of the capture.
    ///   - isStart: whether the bytes begin a file; a pcap file begins with its header.
    /// - Returns: the offset of the end of the last whole one.
    static func length(_ bytes: RawSpan, _ format: CaptureSettings.Format, isStart: Bool) -> Int {
        var end = 0
        if format == .pcap, isStart {
            guard bytes.byteCount >= pcapHeaderSize else { return 0 }
            end = pcapHeaderSize
        }
        while true {
            let head = format == .pcapng ? 8 : 16
            guard end + head <= bytes.byteCount else { return end }
            let length =
                format == .pcapng ? Int(number(bytes, end + 4)) : 16 + Int(number(bytes, end + 8))
            guard length >= (format == .pcapng ? 12 : 16), length <= bytes.byteCount - end else { return end }
            end += length
        }
    }

    private static func number(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}
