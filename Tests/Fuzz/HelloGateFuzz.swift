// libFuzzer: -max_len=8192 -use_value_profile=1

import WeirDissect

/// Reads any bytes as the beginning of a client's, in pieces of two sizes: the verdict and the bytes that are held must be the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = bytes.first else { return 0 }
    let input = Array(bytes.dropFirst())
    let (whole, pieces) = (read(input, input.count), read(input, Int(first) % 40 + 1))
    // A verdict may come before the last piece: what follows is not held then.
    precondition(whole.verdict == pieces.verdict, "\(whole.verdict) became \(pieces.verdict)")
    precondition(whole.held.starts(with: pieces.held) && input.starts(with: whole.held))
    return 0
}

private func read(_ input: [UInt8], _ size: Int) -> (verdict: String, held: [UInt8]) {
    var gate = HelloGate()
    for place in stride(from: 0, to: input.count, by: max(1, size)) {
        switch gate.feed(Array(input[place..<min(place + size, input.count)]).span.bytes) {
        case .more: continue
        case .plain: return ("plain", gate.bytes)
        case .hello(let hello): return ("\(hello)", gate.bytes)
        }
    }
    return ("more", gate.bytes)
}
