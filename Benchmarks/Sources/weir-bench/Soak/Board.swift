import CWeirBench
import Glibc

/// The counters of a soak, in a file that all its processes map: what a process has counted outlives its being killed.
///
/// Each role has one process at a time, which alone writes its counters.
final class Board: @unchecked Sendable {  // A word is written by one alone, and read as a whole.
    /// Who takes part; each is a process.
    enum Role: Int, CaseIterable, Sendable {
        case flowServer, talkServer, datagramServer, flowClient, talkClient, datagramClient

        /// The name on the command line and in the report.
        var name: String {
            switch self {
            case .flowServer: "flow-server"
            case .talkServer: "talk-server"
            case .datagramServer: "datagram-server"
            case .flowClient: "flow-client"
            case .talkClient: "talk-client"
            case .datagramClient: "datagram-client"
            }
        }

        /// Finds a role by its name.
        init?(named name: String) {
            guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = role
        }

        var isServer: Bool { rawValue < 3 }
        /// The pair of a server and its client: a kill of either one explains what is cut short.
        var pair: Int { rawValue % 3 }
    }

    /// What each role counts.
    enum Counter: Int, CaseIterable, Sendable {
        /// Says that the process works: its server listens.
        case ready
        /// Says that there is nothing left to do.
        case finished
        /// Connections that were begun, and those that were seen to an end.
        case begun, ended
        /// Ends as they were planned, by both halves, and by a reset.
        case complete, resetAsPlanned
        /// Ended at the server before the client had said anything.
        case unheard
        /// Cut short while a process of the pair was killed, and while none was, which is a fault.
        case cut, unexplained
        /// Connections on which nothing moved for too long, which is a fault.
        case stuck
        /// Bytes, or datagrams, that were checked; those that were not what was sent, which is a fault.
        case checkedBytes, wrong
        case datagramsSent, datagramsBack, datagramsLost, datagramsLate, sockets
    }

    private static let rolesOffset = 64
    private static let flowsOffset = rolesOffset + Role.allCases.count * 32
    private static let words = flowsOffset + 2 * 64
    private let memory: UnsafeMutablePointer<UInt64>

    /// Maps the file, and makes it where there is none.
    init(_ path: String) throws(BenchError) {
        let size = Self.words * 8
        let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .lastCall("open", on: path) }
        let file = Descriptor(number)
        guard ftruncate(file.number, size) == 0 else { throw .lastCall("ftruncate", on: path) }
        let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
        guard let address, address != MAP_FAILED else { throw .lastCall("mmap", on: path) }
        memory = address.bindMemory(to: UInt64.self, capacity: Self.words)
    }

    deinit {
        munmap(memory, Self.words * 8)
    }

    /// A role's counter.
    subscript(role: Role, counter: Counter) -> UInt64 {
        get { weir_bench_load(memory + Self.rolesOffset + role.rawValue * 32 + counter.rawValue) }
        set { weir_bench_store(memory + Self.rolesOffset + role.rawValue * 32 + counter.rawValue, newValue) }
    }

    /// The sum of a counter over all roles.
    func sum(_ counter: Counter) -> UInt64 { Role.allCases.reduce(0) { $0 + self[$1, counter] } }

    /// How often a process of a pair was killed, twice: odd while one is dead.
    ///
    /// What began and ended under the same even number was met by no kill.
    func epoch(of pair: Int) -> UInt64 { weir_bench_load(memory + pair) }

    /// Moves a pair's epoch on.
    func advanceEpoch(of pair: Int) { weir_bench_store(memory + pair, epoch(of: pair) + 1) }

    /// The bytes of a long flow that the server has checked.
    func upstream(_ flow: Int) -> UInt64 { weir_bench_load(memory + Self.flowsOffset + flow) }

    /// The bytes of a long flow that the client has checked.
    func downstream(_ flow: Int) -> UInt64 { weir_bench_load(memory + Self.flowsOffset + 64 + flow) }

    /// Counts checked bytes of a long flow.
    func count(_ bytes: UInt64, of flow: Int, isUpstream: Bool) {
        let counter = memory + Self.flowsOffset + (isUpstream ? 0 : 64) + min(max(flow, 0), 63)
        weir_bench_store(counter, weir_bench_load(counter) + bytes)
    }
}
