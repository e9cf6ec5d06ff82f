// modules: WeirAnalysis WeirEngine
// libFuzzer: -max_len=4096 -use_value_profile=1

import WeirAnalysis
import WeirDissect
import WeirWire

/// Reads the first line as a pattern, and searches the rest for it: in one datagram, or in the bytes of a broken packet.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    let line = input.firstIndex(of: UInt8(ascii: "\n")) ?? count
    let text = String(decoding: input[..<line], as: UTF8.self)
    guard let pattern = try? SearchPattern(parsing: text) else { return 0 }
    let packet = datagram(Array(input[line...].dropFirst()))
    var flows = CaptureFlows()
    var search = GrepSearch(pattern, context: 8)
    let captured = CapturedPacket(
        timestamp: 0,
        range: 0..<packet.count,
        originalLength: packet.count,
        linkType: .ipv4
    )
    flows.add(captured, packet.span.bytes)
    var end = 0
    let note = { (match: GrepMatch) in
        guard match.field == nil else { return }
        precondition(!match.bytes.isEmpty && match.offset >= end, "matches do not overlap")
        precondition(match.before.count <= 8 && match.after.count <= 8, "so much is around them")
        end = match.offset + match.bytes.count
        precondition(end <= packet.count - 28, "they are in the datagram")
    }
    search.add(captured, packet.span.bytes, in: flows, to: note)
    search.finish(to: note)
    return 0
}

/// Makes a datagram from 10.0.0.1:40000 to 10.0.0.2:9000.
private func datagram(_ payload: [UInt8]) -> [UInt8] {
    func pair(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
    let head: [UInt8] = [0x45, 0] + pair(28 + payload.count) + [0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    return head + pair(40_000) + pair(9000) + pair(8 + payload.count) + [0, 0] + payload
}
