package catalog

import "github.com/cambium-logs/cambium/pkg/storage/segment"

// maxIdle is how many tenants and days are remembered of which there is nothing: who asks decides what their names are. Beyond it they are
// listed anew when somebody asks again.
const maxIdle = 4096

// place is a tenant, or one of its days.
type place struct {
	tenant string
	day    segment.Day
	isDay  bool
}

// useTenant gives a tenant's state, which nobody forgets until leaveTenant. The lock is held.
func (c *Catalog) useTenant(tenant string) *tenantState {
	t := c.tenants[tenant]
	if t == nil {
		t = &tenantState{days: map[segment.Day]*dayState{}, existing: map[segment.Day]struct{}{}}
		c.tenants[tenant] = t
	}
	t.users++
	c.idle.Delete(place{tenant: tenant})
	return t
}

func (c *Catalog) leaveTenant(tenant string, t *tenantState) {
	if t.users--; t.users+len(t.days)+len(t.existing) == 0 {
		c.remember(place{tenant: tenant})
	}
}

// useDay gives the state of a day, which nobody forgets until leaveDay. The lock is held.
func (c *Catalog) useDay(tenant string, day segment.Day) *dayState {
	t := c.useTenant(tenant)
	d := t.days[day]
	if d == nil {
		d = newDayState()
		t.days[day] = d
	}
	d.users++
	c.idle.Delete(place{tenant, day, true})
	c.leaveTenant(tenant, t) // the day keeps it
	return d
}

func (c *Catalog) leaveDay(tenant string, day segment.Day, d *dayState) {
	if d.users--; d.users == 0 && d.empty() {
		c.remember(place{tenant, day, true})
	}
}

// remember keeps what nobody uses and holds nothing for a while, and forgets what has been so for longest when that is too much.
func (c *Catalog) remember(p place) {
	first, over := c.idle.Put(p)
	if !over {
		return
	}
	t := c.tenants[first.tenant]
	if !first.isDay {
		delete(c.tenants, first.tenant)
		return
	}
	delete(t.days, first.day)
	if t.users+len(t.days)+len(t.existing) == 0 {
		delete(c.tenants, first.tenant)
	}
}

// sizeOf is the size of a segment's object; 0 = it is not known.
func (c *Catalog) sizeOf(name segment.Name) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tenants[name.Tenant]; t != nil {
		if d := t.days[name.Day]; d != nil {
			return d.segments[name.ID].size
		}
	}
	return 0
}
