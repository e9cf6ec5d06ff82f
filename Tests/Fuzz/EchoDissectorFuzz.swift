import WeirWire

/// Reads any bytes as chunks of a flow on the port of Echo; see `dissect`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(Array(UnsafeBufferPointer(start: start, count: count)), .udp, port: 7)
    return 0
}
