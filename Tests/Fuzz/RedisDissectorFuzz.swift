import WeirWire

/// Reads any bytes as a connection of Redis.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(start, count, .tcp, port: 6379)
    return 0
}
