// modules: WeirSinks WeirEngine
// libFuzzer: -max_len=16384

import WeirDissect
import WeirEngine
import WeirSinks
import WeirWire

/// Reads any lines as a relay's log, and makes the capture of it: every packet must be read back, and no stream may trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    var reader = LogRecordReader()
    var sink = CaptureSink(CaptureSettings(seed: 0))
    var output = ByteBuffer()
    sink.begin(at: 0, into: &output)
    for line in input.split(separator: 10) {
        guard case .record(let record) = reader.read(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: line))) else {
            continue
        }
        if case .message(let message) = record.happening {
            precondition(message.range.lowerBound >= 0, "a message has a place")
            continue
        }
        let length = record.happening.chunk?.length ?? 0
        precondition(reader.bytes.isEmpty || length == reader.bytes.count || record.happening.chunk == nil, "bytes fit")
        // A long chunk costs much time, and shows nothing more.
        guard length <= 1 << 16 else { continue }
        let bytes = reader.hasBytes ? reader.bytes : [UInt8](repeating: 0, count: length)
        sink.keepsPayloads = reader.hasBytes
        sink.render(record, bytes: bytes.span.bytes, into: &output)
    }
    sink.finish(into: &output)
    output.withUnsafeBytes { read($0.bytes) }
    return 0
}

private func read(_ file: RawSpan) {
    var reader = CaptureReader()
    var flows = CaptureFlows()
    var dissector = CaptureDissector()
    do throws(CaptureFileError) {
        while let item = try reader.next(in: file) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.extracting(packet.range)
            flows.add(packet, bytes)
            dissector.add(packet, bytes, in: flows) { _, _ in }
        }
        try reader.finish(at: file.byteCount)
    } catch {
        preconditionFailure("a capture that was made is damaged: \(error)")
    }
    dissector.finish { _, _ in }
}
