import { type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import { because, degraded, healthy, progressing, type Health, type HealthRule } from './health.ts';

export const customResourceDefinition: HealthRule = { assess: assessDefinition, reads: {} };

function assessDefinition(object: KubeObject): Health {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return degraded(because('its names are not accepted', names.message, names.reason));
  const established = conditionOf(object, 'Established');
  if (established?.status === 'True') return healthy('is established');
  if (established?.status === 'False' && established.reason !== 'Installing') {
    return degraded(because('is not established', established.message, established.reason));
  }
  return progressing('waiting to be established');
}

export const apiService: HealthRule = { assess: assessApiService, reads: {} };

function assessApiService(object: KubeObject): Health {
  const available = conditionOf(object, 'Available');
  if (available?.status === 'True') return healthy('is available');
  // Its server may well be starting: nothing here tells a slow start from a broken one.
  return progressing(because('is not available', available?.message, available?.reason));
}
