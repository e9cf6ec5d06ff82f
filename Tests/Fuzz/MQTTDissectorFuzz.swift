import WeirWire

/// Reads any bytes as a flow of MQTT.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    dissect(start, count, .tcp, port: 1883)
    return 0
}
