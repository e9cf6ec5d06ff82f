/// A query as it is asked of a whole flow, whose messages pass one after another.
///
/// Words joined by `and` that ask for messages must hold of one message, or of one request and its answer; `not` means: of no
/// message of the flow. So `method POST and status >= 500` is a flow with a POST that failed, and `not error` one without any
/// error.
struct QueryPlan: Sendable {
    /// A query whose conditions on messages are groups.
    indirect enum Form: Sendable {
        /// A word that asks for the flow, or for its bytes.
        case flow(FlowQuery)
        /// One message fits the group with this number.
        case group(Int)
        case not(Form)
        case and(Form, Form)
        case or(Form, Form)
    }

    private(set) var form = Form.group(0)
    /// The conditions of which each must hold of one message.
    private(set) var groups: [FlowQuery] = []
    /// The patterns to search for.
    let patterns: [SearchPattern]

    /// The groups that some message fits, a bit for each, and those that it would fit if it were an error.
    struct Fitted: Hashable, Sendable {
        var groups: UInt64 = 0
        var groupsOfErrors: UInt64 = 0
        /// The patterns that were found in the flow.
        var found: UInt64 = 0

        mutating func formUnion(_ other: Fitted) {
            groups |= other.groups
            groupsOfErrors |= other.groupsOfErrors
            found |= other.found
        }
    }

    /// The maximum number of groups and of patterns.
    static let most = 64

    init(_ query: FlowQuery) {
        patterns = Array(query.patterns.prefix(Self.most))
        form = make(query)
    }

    /// Notes which groups a message fits.
    func note(_ exchange: Exchange, names: [String], in fitted: inout Fitted) {
        for (index, group) in groups.enumerated() {
            let bit: UInt64 = 1 << UInt64(index)
            if fitted.groups & bit == 0, holds(group, exchange, names, isError: false) { fitted.groups |= bit }
            guard fitted.groupsOfErrors & bit == 0 else { continue }
            if holds(group, exchange, names, isError: true) { fitted.groupsOfErrors |= bit }
        }
    }

    private func holds(_ group: FlowQuery, _ exchange: Exchange, _ names: [String], isError: Bool) -> Bool {
        switch group {
        case .and(let left, let right):
            holds(left, exchange, names, isError: isError) && holds(right, exchange, names, isError: isError)
        case .or(let left, let right):
            holds(left, exchange, names, isError: isError) || holds(right, exchange, names, isError: isError)
        default: exchange.holds(group, names: names, patterns: patterns, isError: isError) == .yes
        }
    }

    /// Returns whether the query holds of a flow.
    ///
    /// - Parameters:
    ///   - subject: The flow.
    ///   - fitted: The groups that its messages fit.
    ///   - hasFailed: Whether the flow itself failed: it was refused, or reset.
    /// - Returns: Whether it holds.
    func truth(of subject: some QuerySubject, _ fitted: Fitted, hasFailed: Bool) -> Truth {
        truth(form, subject, fitted, hasFailed)
    }

    private func truth(
        _ form: Form,
        _ subject: some QuerySubject,
        _ fitted: Fitted,
        _ hasFailed: Bool
    ) -> Truth {
        switch form {
        case .flow(.contains(let pattern)):
            return Truth(patterns.firstIndex(of: pattern).map { fitted.found >> UInt64($0) & 1 != 0 } ?? false)
        case .flow(.error): return Truth(hasFailed)
        case .flow(let query): return query.truth(of: subject)
        case .group(let index):
            return Truth((fitted.groups | (hasFailed ? fitted.groupsOfErrors : 0)) >> UInt64(index) & 1 != 0)
        case .not(let form): return !truth(form, subject, fitted, hasFailed)
        case .and(let left, let right):
            return truth(left, subject, fitted, hasFailed).and(truth(right, subject, fitted, hasFailed))
        case .or(let left, let right):
            return truth(left, subject, fitted, hasFailed).or(truth(right, subject, fitted, hasFailed))
        }
    }

    // MARK: - Making it

    private mutating func make(_ query: FlowQuery) -> Form {
        switch query {
        case .not(let query): return .not(make(query))
        case .or(let left, let right): return .or(make(left), make(right))
        case .and:
            let parts = query.conjuncts
            let ofMessages = parts.filter(Self.isOfMessages)
            var forms = parts.filter { !Self.isOfMessages($0) }.map { make($0) }
            if let first = ofMessages.first {
                forms.append(group(ofMessages.dropFirst().reduce(first) { .and($0, $1) }))
            }
            return forms.dropFirst().reduce(forms[0]) { .and($0, $1) }
        default: return Self.isOfMessages(query) ? group(query) : .flow(query)
        }
    }

    private mutating func group(_ query: FlowQuery) -> Form {
        guard groups.count < Self.most else { return .flow(query) }
        groups.append(query)
        let form = Form.group(groups.count - 1)
        // A flow without a message can fail, too.
        return query == .error ? .or(form, .flow(.error)) : form
    }

    /// Returns whether a query asks for nothing but one message, without `not`.
    private static func isOfMessages(_ query: FlowQuery) -> Bool {
        switch query {
        case .speaks, .name, .method, .path, .error: true
        case .compare(let quantity, _, _): quantity.isOfMessage
        case .and(let left, let right), .or(let left, let right): isOfMessages(left) && isOfMessages(right)
        default: false
        }
    }
}
