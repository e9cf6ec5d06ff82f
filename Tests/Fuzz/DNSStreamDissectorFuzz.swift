import WeirWire

/// Reads any bytes as a connection of DNS.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(start, count, .tcp, port: 53)
    return 0
}
