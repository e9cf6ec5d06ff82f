import WeirWire

/// Reads any bytes as datagrams of syslog.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(start, count, .udp, port: 514)
    return 0
}
