/// Keeps elements at places that stay the same for their life; a place's generation tells its tenants apart.
struct SlotTable<Element> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []
    /// The places of the elements that have numbers, and the numbers by their places.
    private var places: [UInt64: Int] = [:]
    private var numbers: [UInt64?] = []
    /// Counts the elements.
    private(set) var count = 0

    /// Finds a place, and puts in it what is made for it.
    ///
    /// - Parameters:
    ///   - number: What `find` finds it by: the flow's number, which no other element has.
    ///   - make: Makes the element.
    /// - Returns: The element.
    mutating func insert(
        numbered number: UInt64? = nil,
        _ make: (_ place: Int, _ generation: UInt32) -> Element
    ) -> Element {
        let place = free.popLast() ?? elements.count
        if place == elements.count {
            elements.append(nil)
            generations.append(0)
            numbers.append(nil)
        }
        let element = make(place, generations[place])
        elements[place] = element
        if let number {
            numbers[place] = number
            places[number] = place
        }
        count += 1
        return element
    }

    mutating func remove(at place: Int) {
        guard elements[place] != nil else { return }
        elements[place] = nil
        if let number = numbers[place] {
            numbers[place] = nil
            places[number] = nil
        }
        generations[place] = (generations[place] + 1) & 0xFF_FFFF
        free.append(place)
        count -= 1
    }

    /// Finds an element by its number, without a look at the others.
    func find(_ number: UInt64) -> Element? { places[number].flatMap { elements[$0] } }

    /// Returns the element that a token was made for, while it is there.
    subscript(token: Token) -> Element? {
        let place = token.place
        return place < elements.count && generations[place] == token.generation ? elements[place] : nil
    }

    /// Returns the element at a place.
    subscript(place: Int) -> Element? { elements[place] }

    /// Lists the elements.
    var all: [Element] { elements.compactMap { $0 } }
}
