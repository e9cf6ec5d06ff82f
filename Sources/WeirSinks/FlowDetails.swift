public import WeirEngine
public import WeirWire

/// The contents of an `open` record besides the endpoints: the client's process, the server's name, and the egress port
/// that was requested.
public struct FlowDetails: Sendable {
    /// A function that finds a client's process; nil if the search is off.
    public var process: ProcessLookup?
    /// A function that returns whether a flow's client was not allowed to connect, and got an error instead.
    public var isDenied: @Sendable (FlowID) -> Bool
    /// A function that returns the name that was looked up for a server's address, if there was one.
    public var name: @Sendable (IPAddress) -> String?
    /// The port that the relay requests when it dials.
    public var egressPort: EgressPort
    /// The host's range of ephemeral ports; nil if it was not read, or the system does not report it.
    public var hostPorts: PortRange?

    /// Creates the details of a relay.
    public init(
        process: ProcessLookup? = nil,
        egressPort: EgressPort = .kernel,
        hostPorts: PortRange? = nil,
        name: @escaping @Sendable (IPAddress) -> String? = { _ in nil },
        isDenied: @escaping @Sendable (FlowID) -> Bool = { _ in false }
    ) {
        self.hostPorts = hostPorts
        self.isDenied = isDenied
        self.process = process
        self.egressPort = egressPort
        self.name = name
    }

    /// Returns the process of a record's client.
    func answer(_ record: FlowRecord) -> ProcessAnswer { process?(record.flow) ?? .notAsked }

    /// Returns what a line says after the endpoints: `psql 14501, alice`, `egress port 51514 was not free`.
    func texts(_ record: FlowRecord) -> [String] {
        var texts: [String] = []
        switch answer(record) {
        case .found(let process): texts.append(process.title)
        case .unknown: texts.append("process not known")
        case .notAsked: break
        }
        if isDenied(record.flow) { texts.append("denied by --deny") }
        guard record.path.server != nil, let asked = egressPort.asked(for: record.path.client) else { return texts }
        let isGot = egressPort.isGot(record.path.egress, for: record.path.client)
        texts.append(isGot ? "egress port \(asked) as asked" : "egress port \(asked) was not free")
        return texts
    }

    /// Appends members to an object: `process` (null if it is not known), `denied` if it is true, `egress_asked` and `egress_got`.
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
        if isDenied(record.flow) { json.member("denied", true) }
        guard record.path.server != nil, let asked = egressPort.asked(for: record.path.client) else { return }
        json.member("egress_asked", asked)
        json.member("egress_got", egressPort.isGot(record.path.egress, for: record.path.client))
    }
}

extension ClientProcess {
    /// The process as lines show it: `psql 14501, alice`.
    var title: String { "\(Self.plain(name)) \(identifier), \(Self.plain(user))" }
}
