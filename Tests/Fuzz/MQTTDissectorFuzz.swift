import WeirWire

/// Reads any bytes as chunks of a flow on the port of MQTT; see `dissect`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(Array(UnsafeBufferPointer(start: start, count: count)), .tcp, port: 1883)
    return 0
}
