public import WeirEngine
import WeirWire

/// The contents of an `open` record besides the endpoints: the client's process, and the egress port that was
/// requested.
public struct FlowDetails: Sendable {
    /// A function that finds a client's process; nil if the search is off.
    public var process: ProcessLookup?
    /// The port that the relay requests when it dials.
    public var egressPort: EgressPort
    /// The host's range of ephemeral ports; nil if it was not read, or the system does not report it.
    public var hostPorts: PortRange?

    /// Creates the details of a relay.
    public init(process: ProcessLookup? = nil, egressPort: EgressPort = .kernel, hostPorts: PortRange? = nil) {
        self.hostPorts = hostPorts
        self.process = process
        self.egressPort = egressPort
    }

    /// Returns the process of a record's client.
    func answer(_ record: FlowRecord) -> ProcessAnswer { process?(record.flow) ?? .notAsked }

    /// Appends to a line: `, process curl/4711 user root, egress port asked for (51514): got`.
    func appendText(_ record: FlowRecord, to output: inout ByteBuffer) {
        switch answer(record) {
        case .found(let process): output.append(", process \(process.description)")
        case .unknown: output.append(", process not known")
        case .notAsked: break
        }
        guard record.path.server != nil, let asked = egressPort.asked(for: record.path.client) else { return }
        let isGot = egressPort.isGot(record.path.egress, for: record.path.client)
        output.append(", egress port asked for (\(asked)): \(isGot ? "got" : "not free")")
    }

    /// Appends members to an object: `process` (null if it is not known), `egress_asked` and `egress_got`.
    func appendJSON(_ record: FlowRecord, to json: inout JSONWriter) {
        switch answer(record) {
        case .found(let process):
            json.object("process") { json in
                json.member("pid", process.identifier)
                json.member("name", process.name)
                json.member("user", process.user)
            }
        case .unknown: json.member("process", nil as String?)
        case .notAsked: break
        }
        guard record.path.server != nil, let asked = egressPort.asked(for: record.path.client) else { return }
        json.member("egress_asked", asked)
        json.member("egress_got", egressPort.isGot(record.path.egress, for: record.path.client))
    }
}
