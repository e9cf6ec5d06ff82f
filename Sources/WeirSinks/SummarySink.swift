public import WeirEngine
public import WeirWire

/// A sink that sums up the run at its end: flows, bytes, and for each client address its ports with their egress ports.
///
/// Memory is limited: the first 1,000 client addresses are listed, each with its first 256 ports on a listener.
public struct SummarySink: Sink {
    private static let clientsKept = 1000
    private static let portsKept = 256
    private static let processesKept = 64

    private struct Pair { var flow: FlowID; var client: UInt16; var egress: UInt16? }

    private struct Listener: Hashable { var transport: Transport; var endpoint: Endpoint }

    private struct Ports {
        var pairs: [Pair] = []
        var flows: UInt64 = 0
    }

    private struct Processes {
        var flows: [ClientProcess: UInt64] = [:]
        var order: [ClientProcess] = []
        var notKnown: UInt64 = 0
        var notListed: UInt64 = 0
    }

    private let details: FlowDetails
    private var processes: [IPAddress: Processes] = [:]
    private var clients: [IPAddress: [Listener: Ports]] = [:]
    private var order: [IPAddress] = []
    private var flowsNotListed: UInt64 = 0
    private var flows: (tcp: UInt64, udp: UInt64) = (0, 0)
    private var refused: UInt64 = 0
    private var evicted: UInt64 = 0
    private var mismatches: UInt64 = 0
    private var upstream = Counters()
    private var downstream = Counters()

    /// Creates an empty summary; `details` finds the clients' processes.
    public init(details: FlowDetails = FlowDetails()) {
        self.details = details
    }

    /// The interest in flows, but not in chunks: the closing records count those.
    public var interest: Interest { .flows }

    /// Counts a record; renders nothing until the end.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .closed(let close):
            add(close.upstream, to: &upstream)
            add(close.downstream, to: &downstream)
            if record.transport == .tcp { flows.tcp += 1 } else { flows.udp += 1 }
            if close.reason == .evicted { evicted += 1 }
            list(record)
        case .refused: refused += 1
        case .mismatch: mismatches += 1
        case .opened: if details.process != nil { count(details.answer(record), of: record.path.client.address) }
        default: break
        }
    }

    private func add(_ counters: Counters, to sum: inout Counters) {
        sum.bytes += counters.bytes
        sum.chunks += counters.chunks
        sum.droppedBytes += counters.droppedBytes
        sum.droppedDatagrams += counters.droppedDatagrams
    }

    private mutating func count(_ answer: ProcessAnswer, of client: IPAddress) {
        guard answer != .notAsked, processes[client] != nil || processes.count < Self.clientsKept else { return }
        var known = processes[client] ?? Processes()
        processes[client] = nil
        switch answer {
        case .found(let process):
            let isListed = known.flows[process] != nil
            guard isListed || known.order.count < Self.processesKept else {
                known.notListed += 1
                break
            }
            if !isListed { known.order.append(process) }
            known.flows[process, default: 0] += 1
        case .unknown: known.notKnown += 1
        case .notAsked: break
        }
        processes[client] = known
    }

    private mutating func list(_ record: FlowRecord) {
        let client = record.path.client.address
        if clients[client] == nil {
            guard order.count < Self.clientsKept else {
                flowsNotListed += 1
                return
            }
            order.append(client)
        }
        let listener = Listener(transport: record.transport, endpoint: record.path.listener)
        var ports = clients[client, default: [:]][listener, default: Ports()]
        clients[client]?[listener] = nil
        ports.flows += 1
        if ports.pairs.count < Self.portsKept {
            ports.pairs.append(
                Pair(flow: record.flow, client: record.path.client.port, egress: record.path.egress?.port)
            )
        }
        clients[client, default: [:]][listener] = ports
    }

    /// Renders the totals, and the table of ports.
    public mutating func finish(into output: inout ByteBuffer) {
        output.append("total: ")
        output.appendCount(flows.tcp, "tcp flow")
        output.append(" ")
        output.appendCount(flows.udp, "udp flow")
        output.append(" up ")
        output.appendCounters(upstream)
        output.append(" down ")
        output.appendCounters(downstream)
        output.append(" refused (")
        output.appendDecimal(refused)
        output.append(")")
        if evicted > 0 {
            output.append(" evicted (")
            output.appendDecimal(evicted)
            output.append(")")
        }
        if mismatches > 0 {
            output.append(" mismatches (")
            output.appendDecimal(mismatches)
            output.append(")")
        }
        output.append("\n")
        for client in order { appendClient(client, &output) }
        guard flowsNotListed > 0 else { return }
        output.appendCount(flowsNotListed, "flow")
        output.append(" of further clients not listed\n")
    }

    private func appendClient(_ client: IPAddress, _ output: inout ByteBuffer) {
        let listeners = (clients[client] ?? [:]).sorted {
            ($0.key.transport.rawValue, $0.key.endpoint) < ($1.key.transport.rawValue, $1.key.endpoint)
        }
        output.append("client ")
        client.write(to: &output)
        let hasEgress = listeners.contains { $0.value.pairs.contains { $0.egress != nil } }
        output.append(hasEgress ? ", its ports => the egress ports they were given:\n" : ", its ports:\n")
        for (listener, ports) in listeners {
            output.append(listener.transport == .tcp ? "  tcp " : "  udp ")
            listener.endpoint.write(to: &output)
            output.append(" ")
            output.appendCount(ports.flows, "flow")
            output.append(": ")
            for (index, pair) in ports.pairs.sorted(by: { $0.flow < $1.flow }).enumerated() {
                if index > 0 { output.append(", ") }
                output.appendDecimal(pair.client)
                guard hasEgress else { continue }
                output.append("=>")
                if let egress = pair.egress { output.appendDecimal(egress) } else { output.append("none") }
            }
            if UInt64(ports.pairs.count) < ports.flows {
                output.append(", and ")
                output.appendCount(ports.flows - UInt64(ports.pairs.count), "more flow")
            }
            output.append("\n")
        }
        if let known = processes[client] { append(known, &output) }
    }

    /// Appends the processes of a client: `  processes: curl/4711 user root (3 flows), not known (1 flow)`.
    private func append(_ known: Processes, _ output: inout ByteBuffer) {
        var texts = known.order.map { process in
            let flows = known.flows[process] ?? 0
            return "\(process.description) (\(flows) \(flows == 1 ? "flow" : "flows"))"
        }
        for (count, what) in [(known.notListed, "others"), (known.notKnown, "not known")] where count > 0 {
            texts.append("\(what) (\(count) \(count == 1 ? "flow" : "flows"))")
        }
        output.append("  processes: \(texts.joined(separator: ", "))\n")
    }
}
