import Glibc

/// Opens flows, has 64 bytes echoed on each, leaves them idle, and reads what they cost the relay.
enum HoldLoad {
    /// Flows that are opened and closed before memory is first read, so that what is paid once is not counted.
    private static let warmUp = 16
    private static let settling: UInt32 = 500_000

    /// Measures and returns the memory for one flow.
    static func run(_ settings: LoadSettings) throws(BenchError) -> LoadReport {
        guard let relay = settings.relay.map(ProcessGroup.init(identifier:)) else {
            throw .usage("load hold needs --relay")
        }
        _ = try open(warmUp, port: settings.port)
        usleep(settling)
        let before = relay.residentBytes()
        let start = Clock.nanoseconds()
        let held = try open(settings.connections, port: settings.port)
        let opened = Clock.nanoseconds()
        usleep(settling)
        let after = relay.residentBytes()
        var report = LoadReport(bytes: UInt64(held.numbers.count * Agreed.message))
        report.operations = UInt64(held.numbers.count)
        report.seconds = Clock.seconds(from: start, to: opened)
        report.bytesPerFlow = (Double(after) - Double(before)) / Double(max(1, held.numbers.count))
        return report
    }

    private static func open(_ count: Int, port: UInt16) throws(BenchError) -> DescriptorTable {
        let table = DescriptorTable()
        for index in 0..<count {
            let socket = try Socket.connect(port: port)
            var message = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: Agreed.message)
            guard send(socket.number, &message, message.count, Int32(MSG_NOSIGNAL)) == message.count else {
                throw .lastCall("send", on: "flow \(index)")
            }
            let received = recv(socket.number, &message, message.count, Int32(MSG_WAITALL))
            guard received == message.count else { throw .lastCall("recv", on: "flow \(index)") }
            table.append(socket)
        }
        return table
    }
}
