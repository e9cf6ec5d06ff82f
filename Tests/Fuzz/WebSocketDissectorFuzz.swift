import WeirWire

/// Reads any bytes as frames of WebSocket, behind the upgrade.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let upgrade = [
        (Direction.upstream, "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
        (Direction.downstream, "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n"),
    ]
    dissect(start, count, .tcp, port: 80, after: upgrade)
    return 0
}
