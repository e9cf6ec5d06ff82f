import WeirWire

/// Reads any bytes as a flow of the echo protocol.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(start, count, .udp, port: 7)
    return 0
}
