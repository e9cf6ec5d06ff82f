extension Poller {
    /// Serves a listener and its connections, each tagged with its descriptor, until the process ends or until it is stopped.
    ///
    /// - Parameters:
    ///   - listener: the listener's descriptor.
    ///   - stop: what stops it; nil for never.
    ///   - accept: accepts the connections that wait.
    ///   - connection: serves the connection with a descriptor.
    /// - Throws: `BenchError`.
    @inline(__always)
    func serve(
        _ listener: Int32,
        until stop: StopFlag?,
        accept: () throws(BenchError) -> Void,
        connection: (Int) -> Void
    ) throws(BenchError) {
        while stop?.isSet != true {
            let count = try wait(milliseconds: stop == nil ? -1 : 20)
            for index in 0..<count {
                let tag = tag(index)
                if tag == Int(listener) { try accept() } else { connection(tag) }
            }
        }
    }
}
