import Glibc

/// Opens flows, has 64 bytes echoed on each, leaves them idle, and reads what they cost the relay.
enum HoldLoad {
    /// Flows that are open.
    private enum Held {
        case plain(DescriptorTable)
        case secured([SecuredSocket])
    }

    /// Flows that are opened and closed before memory is first read, so that what is paid once is not counted.
    private static let warmUp = 16
    private static let settling: UInt32 = 500_000

    /// Measures and returns the memory for one flow.
    static func run(_ settings: LoadSettings) throws(BenchError) -> LoadReport {
        guard let relay = settings.relay.map(ProcessGroup.init(identifier:)) else {
            throw .usage("load \(settings.kind.rawValue) needs --relay")
        }
        _ = try open(warmUp, settings)
        usleep(settling)
        let before = relay.residentBytes()
        let start = Clock.nanoseconds()
        let held = try open(settings.connections, settings)
        let opened = Clock.nanoseconds()
        usleep(settling)
        let after = withExtendedLifetime(held) { relay.residentBytes() }
        var report = LoadReport(bytes: UInt64(settings.connections * Agreed.message))
        report.operations = UInt64(settings.connections)
        report.seconds = Clock.seconds(from: start, to: opened)
        report.bytesPerFlow = (Double(after) - Double(before)) / Double(max(1, settings.connections))
        return report
    }

    /// Opens flows; they live as long as what is returned.
    private static func open(_ count: Int, _ settings: LoadSettings) throws(BenchError) -> Held {
        settings.kind == .securedHold
            ? .secured(try openSecured(count, port: settings.port)) : .plain(try openPlain(count, port: settings.port))
    }

    private static func openSecured(_ count: Int, port: UInt16) throws(BenchError) -> [SecuredSocket] {
        let side = try SecuredSide(.client)
        var sockets: [SecuredSocket] = []
        var message = [UInt8](repeating: 0x55, count: Agreed.message)
        for _ in 0..<count {
            let socket = try SecuredSocket(side, connectingTo: port)
            try socket.writeWhole(message, message.count)
            try socket.readWhole(into: &message, message.count)
            sockets.append(socket)
        }
        return sockets
    }

    private static func openPlain(_ count: Int, port: UInt16) throws(BenchError) -> DescriptorTable {
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
