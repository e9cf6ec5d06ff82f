// libFuzzer: -max_len=4096 -use_value_profile=1

/// Reads any bytes as a pcapng file of either byte order.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var file = Array(UnsafeBufferPointer(start: start, count: count))
    guard file.count >= 16 else { return 0 }
    file.replaceSubrange(0..<4, with: [0x0a, 0x0d, 0x0d, 0x0a])
    let magics: [[UInt8]] = [[0x4d, 0x3c, 0x2b, 0x1a], [0x1a, 0x2b, 0x3c, 0x4d]]
    if !magics.contains(Array(file[8..<12])) { file.replaceSubrange(8..<12, with: magics[Int(file[8] & 1)]) }
    checkReading(file)
    return 0
}
