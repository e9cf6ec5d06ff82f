// libFuzzer: -max_len=4096 -use_value_profile=1

/// Reads any bytes as a pcap file of each of the four kinds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var file = Array(UnsafeBufferPointer(start: start, count: count))
    let magics: [[UInt8]] = [
        [0xd4, 0xc3, 0xb2, 0xa1], [0x4d, 0x3c, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4], [0xa1, 0xb2, 0x3c, 0x4d],
    ]
    guard file.count >= 4 else { return 0 }
    if !magics.contains(Array(file[..<4])) { file.replaceSubrange(0..<4, with: magics[Int(file[0] & 3)]) }
    checkReading(file)
    return 0
}
